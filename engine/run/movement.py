"""Whether the ranks of a run get on, and which of them does not. Pure."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

from engine.journal.events import AnyEvent, EpochStarted, Heartbeat, Memory, Phase

PHASES = 3.0
"""How much longer than a step a phase may take: compiling has no steps to show."""
LEAST_PHASE = 60.0
"""Seconds that a phase may take in any case: torch alone is imported in 19 s from a cold disk."""

_NAP = 5.0
"""A pause of ours longer than this (a suspended machine) is not counted as one of the ranks."""
_PRECISION = 0.5
"""Seconds within which two silences are the same."""


@dataclass(slots=True)
class _Rank:
    spoke: float = 0.0
    phase: str = "starting"
    """What it does instead of steps; empty where it does steps."""
    phases: int = 0
    beat: Heartbeat | None = None
    over: bool = False

    @property
    def position(self) -> tuple[int, int, int]:
        """The smaller, the further behind."""
        if self.beat is None:
            return (-1, -1, self.phases)
        return (self.beat.step, self.beat.place, 0)

    @property
    def where(self) -> str:
        if self.phase or self.beat is None:
            return f"while {self.phase or 'training'}"
        return f"in step {self.beat.step} ({self.beat.doing})"


@dataclass(frozen=True, slots=True)
class Stall:
    """No rank has moved for ``seconds``; ``ranks`` are those that the others wait for."""

    ranks: tuple[int, ...]
    seconds: float
    text: str
    """A sentence that names them, and where they stand."""


class Movement:
    """Fed with what the ranks write. A beat that repeats itself is a sign of life, no move."""

    def __init__(self, ranks: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._ranks = {rank: _Rank() for rank in range(ranks)}
        self._clock = clock
        self._now = 0.0
        self._looked = clock()
        self._moved = 0.0

    def tick(self) -> None:
        """To be called at every look at the journals, before it."""
        looked = self._clock()
        self._now += min(looked - self._looked, _NAP)
        self._looked = looked

    def spoke(self, rank: int) -> None:
        self._ranks[rank].spoke = self._now

    def stepped(self, rank: int) -> None:
        """It finished a step."""
        self._ranks[rank].phase = ""
        self._moved = self._now

    def forgive(self) -> None:
        """The time until now does not count."""
        self._moved = self._now

    def over(self, rank: int) -> None:
        """It has said how it ended, and is waited for no longer."""
        self._ranks[rank].over = True
        self._moved = self._now

    def told(self, rank: int, event: AnyEvent) -> None:
        """It wrote an event that is not about steps."""
        mine = self._ranks[rank]
        match event:
            case Memory():
                return
            case Heartbeat():
                before = mine.beat
                mine.beat = event
                if before and (before.step, before.place) == (event.step, event.place):
                    return
            case Phase():
                mine.phase = event.name
                mine.phases += 1
            case EpochStarted():
                mine.phase = ""
            case _:
                pass
        self._moved = self._now

    def stall(self, limit: float) -> Stall | None:
        """What is to be said where nothing moved for ``limit`` seconds, or for a phase longer."""
        waiting = {number: rank for number, rank in self._ranks.items() if not rank.over}
        if any(rank.phase for rank in waiting.values()):
            limit = max(PHASES * limit, LEAST_PHASE)
        seconds = self._now - self._moved
        if seconds < limit or not waiting:
            return None
        silent = {
            number
            for number, rank in waiting.items()
            if self._now - rank.spoke >= seconds - _PRECISION
        }
        if silent and len(silent) < len(waiting):
            # The others beat: what stopped these is below Python, and their last word is old.
            peer = min(waiting.keys() - silent)
            text = (
                f"{named(silent)} stood still and said nothing for {seconds:.0f} s; "
                f"rank {peer} waited {waiting[peer].where}"
            )
            return Stall(tuple(sorted(silent)), seconds, text)
        last = min(rank.position for rank in waiting.values())
        behind = {number for number, rank in waiting.items() if rank.position == last}
        where = waiting[min(behind)].where
        who = "all ranks" if behind == self._ranks.keys() else named(behind)
        return Stall(
            tuple(sorted(behind)), seconds, f"{who} stood still {where} for {seconds:.0f} s"
        )


def named(ranks: Collection[int]) -> str:
    """``rank 1``, ``ranks 1 and 3``."""
    *most, last = sorted(ranks)
    if not most:
        return f"rank {last}"
    return f"ranks {', '.join(map(str, most))} and {last}"
