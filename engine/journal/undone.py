"""Which steps of a run's attempts still count, as its journals tell it, and which checkpoints.

An attempt that goes on from an older checkpoint undoes what came after it: the fold drops those
steps. A checkpoint of such steps may lie there all the same, where it could not be read for a while
(a disk that did not answer, a copy that was put back). Who went on from it would leave a gap
between the steps that count and its own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

from engine.journal import layout
from engine.journal.events import AttemptStarted, Steps
from engine.journal.files import Tail, parse

_FIRST_LINE = 1 << 16
"""Bytes that the first line of a journal has at most."""


def cuts(run: Path) -> dict[int, float]:
    """Of each attempt of a run, the step from which on a later one replaces what it did."""
    cut = math.inf
    found: dict[int, float] = {}
    for attempt, directory in reversed(layout.attempts(run)):
        found[attempt] = cut
        begun = _began(directory)
        if begun is not None:
            cut = min(cut, begun)
    return found


def counts(cuts: Mapping[int, float], attempt: int | None, step: int) -> bool:
    """Whether all steps that a checkpoint of an attempt knows still count. One of an earlier
    version does not say of which attempt it is: as far as anybody knows they do."""
    return attempt is None or step <= cuts.get(attempt, math.inf)


def missing(run: Path, step: int) -> tuple[int, int] | None:
    """The first and the last step before ``step`` of which no attempt that counts has told.

    Reads what the first rank of every attempt told.
    """
    cut = cuts(run)
    reached = max(
        (int(min(cut[attempt], _told(directory))) for attempt, directory in layout.attempts(run)),
        default=0,
    )
    return (reached, step - 1) if reached < step else None


def _began(attempt: Path) -> int | None:
    """The first step of an attempt; ``None`` where no rank of it came so far as to tell."""
    for journal in sorted(attempt.glob("rank*.jsonl")):
        try:
            with journal.open("rb") as file:
                line = file.readline(_FIRST_LINE)
        except OSError:
            continue
        for event in parse(line)[0]:
            if isinstance(event, AttemptStarted):
                return max(0, event.from_step)
    return None


def _told(attempt: Path) -> int:
    """The step after the last one that the first rank told of."""
    tail = Tail(attempt / "rank0.jsonl")
    reached = 0
    while data := tail.read():
        for event in parse(data)[0]:
            if isinstance(event, Steps):
                reached = max(reached, event.first + event.count)
    return reached
