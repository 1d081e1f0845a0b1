"""How long epochs took, against what their first steps had let expect. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

from engine.journal.views import RunView


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochTime:
    """The training part of one epoch, of the slowest rank, in seconds; ``None`` is unknown."""

    epoch: int
    """From 0."""
    estimated: float | None
    """(images / batch) x time per batch, from its first steps; not of an epoch that was cut short,
    which took less for another reason."""
    actual: float | None
    """``None`` while it lasts."""
    whole: bool = True
    """Neither cut short nor gone on with halfway, so that what it took is what an epoch takes."""

    @property
    def error(self) -> float | None:
        """Of the estimate, as a share of what it took: above 0 where it took less than expected."""
        if self.estimated is None or self.actual is None or not self.actual > 0:
            return None
        return (self.estimated - self.actual) / self.actual


def epoch_times(run: RunView) -> tuple[EpochTime, ...]:
    """Each epoch that every rank has finished, then the one at hand where it is estimated."""
    length = run.ready.steps_per_epoch if run.ready is not None else 0
    torn = {each.from_step // length for each in run.attempts if length and each.from_step % length}
    rows = [
        EpochTime(
            epoch=each.epoch,
            estimated=_finite(each.estimated_seconds) if whole else None,
            actual=_finite(each.seconds),
            whole=whole,
        )
        for each in run.epochs
        for whole in (each.end_step >= (each.epoch + 1) * length and each.epoch not in torn,)
    ]
    finished = {each.epoch for each in rows}
    expected = _finite(run.epoch_estimate)
    if expected is not None and run.state == "running" and run.epoch not in finished:
        rows.append(EpochTime(epoch=run.epoch, estimated=expected, actual=None))
    return tuple(rows)


def _finite(seconds: float | None) -> float | None:
    return seconds if seconds is not None and math.isfinite(seconds) else None
