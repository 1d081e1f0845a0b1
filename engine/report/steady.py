"""How fast a run trained once it was warm, and where its time went. Pure.

Everything here is of the same steps: the training parts of epochs, without the first one where
there are several. Sums are exact, as ranks told them at the end of each epoch; before the first
has ended they are of the steps at hand. Median and percentile are of the rows that are kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.journal.events import EpochEnded
from engine.journal.step_columns import column
from engine.journal.views import EpochView, RunView
from engine.report.ledger import device_ledger, known, rows

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Steady:
    """Times in seconds, shares in 0..1; ``None`` is unknown."""

    images_per_second: float | None = None
    batch_seconds_median: float | None = None
    batch_seconds_p95: float | None = None
    steps: int = 0
    """That the throughput is of."""
    steps_kept: int = 0
    """Of these, the latest, that median and percentile are of."""
    warm: bool = True
    """Whether the first epoch is left out."""
    stall_share: float | None = None
    device_idle_share: float | None = None
    bubble: float | None = None


def steady(run: RunView) -> Steady:
    """What is known of the run so far."""
    ended = tuple(epoch for epoch in run.epochs if epoch.images)
    if not ended:
        return _before_the_first(run)
    warm = ended[1:] or ended
    seconds = sum(epoch.seconds for epoch in warm)
    first, last = _steps(run, warm, ended)
    times = rows(run, column("step"), first, last)
    times = times[~np.isnan(times)]
    median, p95 = _quantiles(times)
    return Steady(
        images_per_second=sum(each.images for each in warm) / seconds if seconds > 0 else None,
        batch_seconds_median=median,
        batch_seconds_p95=p95,
        steps=last - first,
        steps_kept=len(times),
        warm=len(ended) > 1,
        stall_share=_stall(warm, seconds),
        device_idle_share=_idle(run, warm),
        bubble=_bubble(run),
    )


def _before_the_first(run: RunView) -> Steady:
    """From the steps of the first epoch, as far as they are kept."""
    last = run.history.steps
    first = run.history.rows_kept_from
    times = rows(run, column("step"), first, last)
    images = rows(run, "images", first, last)
    if not len(times) or len(images) != len(times):
        return Steady(warm=False, bubble=_bubble(run))
    measured = ~np.isnan(times)
    seconds = float(times[measured].sum())
    waited = rows(run, column("starved"), first, last)
    if not len(waited) or np.isnan(waited).all():
        # A CPU, where the device waits when the host does.
        waited = rows(run, column("wait"), first, last)
    median, p95 = _quantiles(times[measured])
    tells = len(waited) == len(times) and not np.isnan(waited).all()
    return Steady(
        images_per_second=known(images)[measured].sum() / seconds if seconds > 0 else None,
        batch_seconds_median=median,
        batch_seconds_p95=p95,
        steps=last,
        steps_kept=int(measured.sum()),
        warm=False,
        stall_share=_share(float(known(waited)[measured].sum()), seconds) if tells else None,
        bubble=_bubble(run),
    )


def _steps(run: RunView, warm: Sequence[EpochView], ended: Sequence[EpochView]) -> tuple[int, int]:
    """The first step of these epochs, and the one after the last."""
    if run.ready is not None:
        first = warm[0].epoch * run.ready.steps_per_epoch
    else:
        first = ended[0].end_step if len(ended) > 1 else 0
    return min(first, warm[-1].end_step), warm[-1].end_step


def _stall(warm: Sequence[EpochView], seconds: float) -> float | None:
    """Of each epoch the rank counts that waited longest: the others wait for it."""
    if not seconds > 0:
        return None
    waited = sum(
        max((_waited(told) for _, told in epoch.by_rank), default=epoch.wait_seconds)
        for epoch in warm
    )
    return _share(waited, seconds)


def _waited(told: EpochEnded) -> float:
    """By the device's clock; where that is the host's, or of older journals, by the host's."""
    return told.sums.get(column("starved"), told.sums.get(column("wait"), told.wait_seconds))


def _idle(run: RunView, warm: Sequence[EpochView]) -> float | None:
    """What the parts of the devices' time leave of it, over all ranks and epochs; ``None`` on a
    CPU, and where no part was measured."""
    if run.ready is None or run.ready.device == "cpu":
        return None
    ledgers = [
        device_ledger(told.sums)
        for epoch in warm
        for _, told in epoch.by_rank
        if any(column(part) in told.sums for part in ("forward", "pipeline"))
    ]
    seconds = sum(each.seconds for each in ledgers)
    return _share(sum(each.of("idle") for each in ledgers), seconds)


def _bubble(run: RunView) -> float | None:
    if run.pipeline is None:
        return None
    measured = run.pipeline.measured
    warm = measured[1:] or measured
    seconds = sum(each.seconds for each in warm)
    busy = sum(sum(each.busy) for each in warm)
    return max(0.0, 1.0 - busy / (run.pipeline.stages * seconds)) if seconds > 0 else None


def _quantiles(values: Floats) -> tuple[float | None, float | None]:
    """The median and the 95th percentile."""
    if not len(values):
        return None, None
    median, p95 = np.quantile(values, (0.5, 0.95))
    return float(median), float(p95)


def _share(part: float, whole: float) -> float | None:
    return min(1.0, max(0.0, part / whole)) if whole > 0 else None
