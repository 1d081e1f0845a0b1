"""How fast a run trained once it was warm, and where its time went. Pure.

Everything here is of the same steps: the training parts of epochs that were computed as the run is
now (see ``ways``), without those in which an attempt began, where there are others; where images
grow, of those at the full side, once there are any. Sums are exact, as ranks told them at the end
of each epoch; before the first has ended they are of the steps at hand. Median and percentile are
of the rows that are kept.
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
from engine.report.ways import begun_epochs, own_from

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
    grown: bool = True
    """Whether all images had their full side."""
    stall_share: float | None = None
    device_idle_share: float | None = None
    bubble: float | None = None


def steady(run: RunView, grown_from: int = 0) -> Steady:
    """What is known of the run so far; from the epoch ``grown_from`` on images have their full
    side."""
    own = own_from(run)
    trained = tuple(epoch for epoch in run.epochs if epoch.images)
    ended = tuple(each for each in trained if each.epoch * _length(run) >= own)
    if not ended:
        return _before_the_first(run, own, grown=grown_from == 0)
    grown = tuple(each for each in ended if each.epoch >= grown_from)
    if grown:
        ended, own = grown, max(own, grown_from * _length(run))
    begun = begun_epochs(run)
    calm = tuple(each for each in ended if each.epoch not in begun)
    warm = calm or ended
    seconds = sum(epoch.seconds for epoch in warm)
    steps = [_steps(run, each, trained) for each in warm]
    times = np.concatenate([rows(run, column("step"), *each) for each in steps])
    times = times[~np.isnan(times)]
    median, p95 = _quantiles(times)
    return Steady(
        images_per_second=sum(each.images for each in warm) / seconds if seconds > 0 else None,
        batch_seconds_median=median,
        batch_seconds_p95=p95,
        steps=sum(last - first for first, last in steps),
        steps_kept=len(times),
        warm=bool(calm),
        grown=bool(grown),
        stall_share=_stall(warm, seconds),
        device_idle_share=_idle(run, warm),
        bubble=_bubble(run, own),
    )


def _before_the_first(run: RunView, own: int, *, grown: bool) -> Steady:
    """From the steps of the first epoch from ``own`` on, as far as they are kept."""
    last = run.history.steps
    first = min(last, max(own, run.history.rows_kept_from))
    times = rows(run, column("step"), first, last)
    images = rows(run, "images", first, last)
    if not len(times) or len(images) != len(times):
        return Steady(warm=False, grown=grown, bubble=_bubble(run, own))
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
        steps=last - own,
        steps_kept=int(measured.sum()),
        warm=False,
        grown=grown,
        stall_share=_share(float(known(waited)[measured].sum()), seconds) if tells else None,
        bubble=_bubble(run, own),
    )


def _length(run: RunView) -> int:
    """Steps of an epoch; 0 where they are not known."""
    return run.ready.steps_per_epoch if run.ready is not None else 0


def _steps(run: RunView, epoch: EpochView, trained: Sequence[EpochView]) -> tuple[int, int]:
    """The first step of an epoch, and the one after its last."""
    if run.ready is not None:
        first = epoch.epoch * run.ready.steps_per_epoch
    else:
        first = max((each.end_step for each in trained if each.epoch < epoch.epoch), default=0)
    return min(first, epoch.end_step), epoch.end_step


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


def _bubble(run: RunView, own: int) -> float | None:
    if run.pipeline is None:
        return None
    measured = [each for each in run.pipeline.measured if each.epoch * _length(run) >= own]
    begun = begun_epochs(run)
    warm = [each for each in measured if each.epoch not in begun] or measured
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
