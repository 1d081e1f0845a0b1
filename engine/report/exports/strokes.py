"""Colours and dashes in which strategies are told apart, in print and with any eyes. Pure."""

from __future__ import annotations

from typing import NamedTuple

_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f7f7f")
"""Okabe and Ito's (2008), told apart by colour-blind eyes; their yellow is too pale for lines on
white, and grey takes the place of black, which a dark page would swallow."""
_DASHES = ((), (6, 2), (2, 2), (8, 2, 2, 2))


class Stroke(NamedTuple):
    colour: str
    dashes: tuple[int, ...]
    """Lengths drawn and left out in turn; empty for a whole line."""


def stroke(place: int) -> Stroke:
    """Of the strategy at a place of the table; the first 28 are all different.

    The next one has other dashes as well: where two lines are the same, both are seen.
    """
    return Stroke(_COLOURS[place % len(_COLOURS)], _DASHES[place % len(_DASHES)])
