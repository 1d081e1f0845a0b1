"""How long a run trained until it was good enough. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from engine.journal.curves import Segment
from engine.journal.views import RunView, ValidationView

_SAME = 1e-12
"""Accuracies are ratios of counts: what differs by less is equal."""


def seconds_to_accuracy(run: RunView, target: float) -> float | None:
    """From the first step to the end of the first validation whose top-1 reached ``target``, in
    seconds; validations count, and what lies between the attempts of a run that was resumed does
    not. ``None`` where it was not reached, or its first steps are not known.
    """
    segments = run.history.segments.get(None, ())
    if not segments or segments[0].track.base > 0:
        return None
    reached = next((each for each in run.validations if each.top1 >= target - _SAME), None)
    if reached is None:
        return None
    before = 0.0
    for segment in segments:
        if reached.step <= segment.track.end:
            spent = before + reached.t - segment.track.begun
            return spent if spent >= 0 else None
        before += _length(segment, run.validations)
    return None


def target_of(best: Iterable[Sequence[float]]) -> float | None:
    """The highest accuracy that every strategy reached in each of its runs, from the best of each
    run by strategy; ``None`` where there is none, or it is 0."""
    found = [each for runs in best for each in runs]
    return min(found, default=0.0) or None


def _length(segment: Segment, validations: Sequence[ValidationView]) -> float:
    """Seconds from an attempt's first step to the end of its last, or of the validation after it:
    that is where the next attempt goes on."""
    track = segment.track
    ends = [each.t for each in validations if track.base < each.step <= track.end]
    return max([track.ended, *ends]) - track.begun
