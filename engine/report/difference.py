"""How much faster one strategy is than another, and whether that is more than noise. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Call = Literal["baseline", "faster", "slower", "tie", "undecided", "unknown"]
"""``tie``: the whole interval is inside +-1 %. ``undecided``: under three pairs of repeats, or an
interval that holds 1 and is wider than a tie. ``unknown``: nothing to compare."""

TIE = 0.01
LEAST_REPEATS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The ratio of two throughputs, paired by repeat: above 1 is faster than the other."""

    call: Call
    ratio: float | None = None
    """Geometric mean of the ratios of the pairs."""
    low: float | None = None
    """The 95 % interval, corrected for the number of comparisons; ``None`` with fewer than two
    pairs."""
    high: float | None = None
    pairs: int = 0
    repeats_to_settle: int | None = None
    """Repeats, in all, after which it would be decided if the spread stays as it is; ``None`` where
    it is decided, or where that cannot be told."""
