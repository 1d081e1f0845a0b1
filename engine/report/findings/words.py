"""Numbers inside sentences; one that is unknown is ``–``."""

from __future__ import annotations

import math

from engine.plan import room

UNKNOWN = "–"


def percent(share: float | None) -> str:
    """A share in 0..1 as ``23 %``."""
    if share is None or not math.isfinite(share):
        return UNKNOWN
    return f"{share * 100:.0f} %"


def ms(seconds: float | None) -> str:
    """Milliseconds in two or three digits, seconds where they are many: ``3.1 ms``, ``2.1 s``."""
    if seconds is None or not math.isfinite(seconds):
        return UNKNOWN
    if seconds >= 1.0:
        return f"{seconds:.1f} s"
    value = seconds * 1000
    return f"{value:.0f} ms" if value >= 9.95 else f"{value:.1f} ms"


def count(value: float | None) -> str:
    """``1,240``; below ten with one decimal, where it has any."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    if abs(value) < 10 and round(value, 1) != round(value):
        return f"{value:.1f}"
    return f"{value:,.0f}"


def size(value: float | None) -> str:
    """Bytes as MiB or GiB."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    return room.size(round(value))


def several(number: int, word: str, ending: str = "s") -> str:
    """``1 worker``, ``2 workers``."""
    return f"{number:,} {word}" + ("" if number == 1 else ending)
