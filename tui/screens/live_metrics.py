"""The metrics of the live view: where each comes from, and how its chart is to look. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from engine.journal.history import Axis, Buckets, HistoryView
from engine.journal.step_columns import column
from engine.journal.views import ValidationView
from tui.widgets import format as show

Metric = Literal["loss", "top1", "top5", "speed", "lr", "wait", "step"]


@dataclass(frozen=True, slots=True)
class Kind:
    """How a metric is read and drawn; the fields of ``Plot`` of the same name say more."""

    title: str
    meaning: str
    get: Callable[[HistoryView, Axis, float, float, int], Buckets | None]
    unit: str = ""
    number: Callable[[float | None], str] = show.plain
    validation: Callable[[ValidationView], float] | None = None
    can_log: bool = False
    ceiling: float | None = None
    include: tuple[float, ...] = ()
    calm: float = 0.0
    robust: bool = False
    name: Callable[[HistoryView], str] = lambda _: "now"
    """What the legend calls the curve of a single run."""


def _plain(
    name: str,
    factor: float,
    history: HistoryView,
    axis: Axis,
    low: float,
    high: float,
    columns: int,
) -> Buckets | None:
    if name not in history.metrics:
        return None
    found = history.buckets(name, axis, low, high, columns)
    return found if factor == 1.0 else _scaled(found, np.full(len(found.x), factor))


def _scaled(found: Buckets, factor: NDArray[np.float64]) -> Buckets:
    by = factor.astype(np.float32)
    return replace(
        found, low=found.low * by, high=found.high * by, mean=found.mean * by, std=found.std * by
    )


def _speed(
    history: HistoryView, axis: Axis, low: float, high: float, columns: int
) -> Buckets | None:
    """Images over wall time in each bucket: a ratio of sums, never a mean of rates."""
    if not {"images", "step_seconds"} <= set(history.metrics):
        return None
    images = history.buckets("images", axis, low, high, columns)
    spent = history.buckets("step_seconds", axis, low, high, columns)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = images.mean / spent.mean
        return Buckets(
            x=spent.x,
            low=images.mean / spent.high,
            high=images.mean / spent.low,
            mean=mean,
            std=mean * spent.std / spent.mean,
            count=np.where(np.isfinite(mean), spent.count, 0),
        )


def _wait(
    history: HistoryView, axis: Axis, low: float, high: float, columns: int
) -> Buckets | None:
    """Share of the time spent waiting for data, in percent: a ratio of sums too.

    Of the device where it has a clock of its own: a host that waits may be ahead of it.
    """
    waited = column("starved") if _has_device_clock(history) else column("wait")
    if not {waited, "step_seconds"} <= set(history.metrics):
        return None
    waits = history.buckets(waited, axis, low, high, columns)
    spent = history.buckets("step_seconds", axis, low, high, columns)
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = 100.0 / spent.mean.astype(np.float64)
        found = _scaled(waits, np.where(np.isfinite(factor), factor, np.nan))
    count = np.where(np.isfinite(found.mean), found.count, 0)
    return replace(found, high=np.minimum(found.high, np.float32(100.0)), count=count)


def _has_device_clock(history: HistoryView) -> bool:
    return column("starved") in history.metrics


def _whose_wait(history: HistoryView) -> str:
    return "device" if _has_device_clock(history) else "now"


def _one_decimal(value: float | None) -> str:
    return show.UNKNOWN if show.unknown(value) else f"{value:.1f}"


KINDS: dict[Metric, Kind] = {
    "loss": Kind(
        "Loss",
        "train",
        partial(_plain, "loss", 1.0),
        validation=lambda each: each.loss,
        can_log=True,
        robust=True,
    ),
    "top1": Kind(
        "Top-1 accuracy",
        "train",
        partial(_plain, "top1", 100.0),
        unit="%",
        number=_one_decimal,
        validation=lambda each: each.top1 * 100.0,
        ceiling=100.0,
        calm=0.05,
    ),
    "top5": Kind(
        "Top-5 accuracy",
        "train",
        partial(_plain, "top5", 100.0),
        unit="%",
        number=_one_decimal,
        validation=lambda each: each.top5 * 100.0,
        ceiling=100.0,
        calm=0.05,
    ),
    "speed": Kind(
        "Images/s", "speed", _speed, number=show.rate, can_log=True, calm=0.5, robust=True
    ),
    "lr": Kind("Learning rate", "rate", partial(_plain, "lr", 1.0), can_log=True),
    "wait": Kind(
        "Waiting for data",
        "wait",
        _wait,
        unit="%",
        number=_one_decimal,
        ceiling=100.0,
        include=(0.0, 10.0),
        name=_whose_wait,
    ),
    "step": Kind(
        "Step time",
        "time",
        partial(_plain, "step_seconds", 1000.0),
        unit="ms",
        number=partial(show.plain, digits=3),
        can_log=True,
        calm=0.5,
        robust=True,
    ),
}
