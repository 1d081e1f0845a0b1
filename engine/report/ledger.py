"""Where the time of steps went, by rank: two ledgers that each add up to wall time. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.journal.step_columns import DECODE, DEVICE_PARTS, HOST_PARTS, LAG, QUEUED, column
from engine.journal.views import RunView

WINDOW = 15.0
"""Seconds of training that recent figures are taken over."""
ROWS = 1024
"""At most so many of the latest steps are looked at."""

WORDS = {
    "wait": "waiting for data",
    "starved": "waiting for data",
    "agree": "waiting for ranks",
    "peers": "waiting for ranks",
    "launch": "launching",
    "compute": "computing",
    "other": "other",
    "copy": "copy",
    "forward": "forward",
    "backward": "backward",
    "exchange": "exchange",
    "pipeline": "pipeline",
    "update": "update",
    "idle": "idle",
}
"""The parts of both ledgers as the screen calls them."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """Wall time in parts that add up to it, in the order in which they come in a step."""

    seconds: float
    parts: tuple[tuple[str, float], ...]

    def share(self, *parts: str) -> float:
        """Of these parts together, 0..1."""
        if not self.seconds > 0:
            return 0.0
        return sum(seconds for part, seconds in self.parts if part in parts) / self.seconds

    def of(self, part: str) -> float:
        """The seconds of a part; 0 where it did not come."""
        return dict(self.parts).get(part, 0.0)


def host_ledger(sums: Mapping[str, float]) -> Ledger:
    """Of the training thread, from sums of columns. On a CPU ``launch`` is called ``compute``."""
    wait = sums.get(column("wait"), 0.0)
    agree, other = sums.get(column("agree"), 0.0), sums.get(column("other"), 0.0)
    if column("launch") in sums:
        main, spent = "launch", sums[column("launch")]
    else:
        whole = sums.get(column("step"), 0.0)
        main, spent = "compute", max(0.0, whole - wait - agree - other)
    # Their sum and not the column: readings of a clock that are rounded may exceed the whole.
    parts = (("wait", wait), ("agree", agree), (main, spent), ("other", other))
    return Ledger(sum(seconds for _, seconds in parts), parts)


def device_ledger(sums: Mapping[str, float]) -> Ledger:
    """Of the device, from sums of columns; ``idle`` is what its parts leave of the steps."""
    whole = sums.get(column("step"), 0.0)
    seconds = {part: sums.get(column(part), 0.0) for part in DEVICE_PARTS}
    if column("starved") not in sums:
        # A CPU, where the device waits when the host does.
        seconds["starved"] = sums.get(column("wait"), 0.0)
        seconds["peers"] = sums.get(column("agree"), 0.0)
    parts = [(part, spent) for part, spent in seconds.items() if spent > 0.0]
    parts.append(("idle", max(0.0, whole - sum(spent for _, spent in parts))))
    return Ledger(sum(spent for _, spent in parts), tuple(parts))


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """What one rank measured over some steps. Times in seconds; ``None`` is not measured."""

    rank: int
    steps: int
    images: float
    host: Ledger
    device: Ledger
    median_step: float
    p95_step: float
    decode: float | None = None
    """Per image, in the process that reads it."""
    queued: float | None = None
    """Batches that were ready when one was asked for, on average."""
    lag: float | None = None
    """How far the device was behind the host at the end of a step, on average."""

    @property
    def work(self) -> float:
        """Seconds per step in which this rank computed for itself: without waiting for data, for
        other ranks, or for what they send."""
        own = ("copy", "forward", "backward", "pipeline", "update")
        return sum(self.device.of(part) for part in own) / max(1, self.steps)


def recent(run: RunView, window: float = WINDOW) -> tuple[Times, ...]:
    """Of the latest ``window`` seconds of every rank, by rank; nothing before the second step.

    The first step of an attempt is left out: it waits for workers to start, and libraries make
    their choices in it.
    """
    steps = latest(run, window)
    found = (_times(run, rank, *steps) for rank in run.history.ranks) if steps else ()
    return tuple(each for each in found if each is not None)


def latest(run: RunView, window: float = WINDOW) -> tuple[int, int] | None:
    """The first of those steps, and the one after the last; ``None`` before there are any."""
    history = run.history
    segments = history.segments.get(None, ())
    if not segments:
        return None
    last = history.steps
    first = max(segments[-1].track.base + 1, history.rows_kept_from, last - ROWS)
    if first >= last:
        return None
    backwards = known(rows(run, column("step"), first, last)[::-1]).cumsum()
    return max(first, last - int(np.searchsorted(backwards, window)) - 1), last


def rows(
    run: RunView, name: str, first: int, last: int, rank: int | None = None
) -> NDArray[np.float64]:
    """The column of these steps; NaN where it was not measured, or makes no sense as a number."""
    values = np.asarray(run.history.rows(name, first, last, rank), np.float64)
    return np.where(np.isfinite(values) & (values >= 0.0), values, np.nan)


def known(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """With 0 for what was not measured, so that it adds nothing to a sum."""
    return np.nan_to_num(values)


def _times(run: RunView, rank: int, first: int, last: int) -> Times | None:
    columns = {
        name: rows(run, name, first, last, rank)
        for name in run.history.metrics
        if name.endswith("_seconds") or name in ("images", QUEUED)
    }
    steps = columns.get(column("step"), np.empty(0))
    measured = ~np.isnan(steps)
    if not measured.any():
        return None
    # Of steps that were timed alone: parts of others would not add up to anything.
    columns = {name: values[measured] for name, values in columns.items()}
    steps = columns[column("step")]
    counted = {column(part) for part in ("step", *HOST_PARTS, *DEVICE_PARTS)}
    sums = {
        name: float(np.nansum(values))
        for name, values in columns.items()
        if name in counted and not np.isnan(values).all()
    }
    return Times(
        rank=rank,
        steps=len(steps),
        images=float(np.nansum(columns.get("images", np.zeros(1)))),
        host=host_ledger(sums),
        device=device_ledger(sums),
        median_step=float(np.median(steps)),
        p95_step=float(np.quantile(steps, 0.95)),
        decode=_mean(columns.get(DECODE)),
        queued=_mean(columns.get(QUEUED)),
        lag=_mean(columns.get(LAG)),
    )


def _mean(values: NDArray[np.float64] | None) -> float | None:
    if values is None or np.isnan(values).all():
        return None
    return float(np.nanmean(values))
