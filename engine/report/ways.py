"""Which steps of a run its row speaks of, where it was interrupted and went on. Pure.

A run may go on in another way: another strategy, other switches, other devices. Its row says the
latest, and rates, times and memory are of the steps that were computed so. What it learned is of
all of them.
"""

from __future__ import annotations

from engine.journal.attempt_view import AttemptView
from engine.journal.views import RunView


def own_from(run: RunView) -> int:
    """The first step from which on it was computed as it is now; 0 where it always was."""
    if not run.attempts:
        return 0
    latest = run.attempts[-1]
    first = 0
    for attempt in reversed(_counting(run)):
        if not _is_alike(attempt, latest):
            return first
        first = attempt.from_step
    return 0


def begun_epochs(run: RunView) -> frozenset[int]:
    """Epochs in which an attempt began, from 0: starting anew and warming up is in their times."""
    length = run.ready.steps_per_epoch if run.ready is not None else 0
    if length <= 0:
        return frozenset((0,))
    return frozenset((0, *(each.from_step // length for each in _counting(run))))


def earlier_ways(run: RunView) -> tuple[tuple[str, int], ...]:
    """How it was computed before, oldest first: the strategy (empty where that was the same, with
    other switches), and the step up to which it was."""
    latest = run.attempts[-1] if run.attempts else None
    found: list[tuple[str, int]] = []
    for attempt in _counting(run):
        if latest is None or attempt.until is None or _is_alike(attempt, latest):
            continue
        name = attempt.strategy if attempt.strategy != latest.strategy else ""
        if found and found[-1][0] == name:
            found.pop()
        found.append((name, attempt.until))
    return tuple(found)


def _counting(run: RunView) -> list[AttemptView]:
    """Those with steps that no later one has undone."""
    return [each for each in run.attempts if each.until is None or each.from_step < each.until]


def _is_alike(one: AttemptView, other: AttemptView) -> bool:
    """What was not told makes no difference."""
    if not one.way or not other.way:
        return not (one.strategy and other.strategy) or one.strategy == other.strategy
    return one.way == other.way
