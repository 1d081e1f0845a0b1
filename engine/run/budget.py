"""What a try of a batch size may use of memory, and whether it had enough."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from engine.journal.events import Memory
from engine.plan.room import size
from engine.run.host import busyness

FULL = 0.97
"""Share of what torch's allocator could have of a GPU from which on a batch does not fit: hours of
training fragment what seconds leave whole."""
MOST = 0.8
"""Share of the computer's free memory that tries may use, where no budget was given."""

_REFUSED = re.compile(r"out of memory|memory ran out[:;]")
"""What the verdict and the ranks say where memory was refused, or a process killed for it."""


@dataclass(frozen=True, slots=True)
class Budget:
    """Of a computer's memory, for all processes of a try; where it was given, also of each GPU's.
    In words it is what a try took more than."""

    bytes: int
    given: bool
    """By the user."""

    def __str__(self) -> str:
        if self.given:
            return f"the {size(self.bytes)} of the memory budget (--memory-budget)"
        return f"{size(self.bytes)}, {MOST:.0%} of what was free"


def budget(gib: float | None) -> Budget:
    """That of the settings, else most of what is free now."""
    if gib is not None:
        return Budget(int(gib * (1 << 30)), given=True)
    return Budget(int(MOST * busyness().memory_available), given=False)


def fills_gpu(told: Iterable[Memory], limit: Budget) -> str:
    """Why what ranks on GPUs told at the end of a try is too much; empty where it is not."""
    for each in told:
        peak, room = each.peak_reserved, each.room
        if peak is not None and room is not None and peak > FULL * room:
            return (
                f"it took {size(peak)} of the {size(room)} that it could have of its GPU, and more "
                f"than {FULL:.0%} would not last for hours"
            )
        if peak is not None and limit.given and peak > limit.bytes:
            return f"it took {size(peak)} of its GPU, more than {limit}"
    return ""


def refused(reasons: Iterable[str]) -> str:
    """The first of these sentences about a failure that is about memory, without what a user might
    do about it; empty where none is."""
    found = (each.partition(";")[0] for each in reasons if _REFUSED.search(each))
    return next(found, "")
