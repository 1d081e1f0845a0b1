"""What a column of the table is: its name, its unit, and which end is the good one. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from engine.report.comparison import Row

Unit = Literal[
    "text", "count", "flag", "share", "change", "seconds", "hours", "bytes", "rate", "ratio",
    "loss", "money",
]  # fmt: skip
"""``change`` is a share with a sign, ``ratio`` a factor (1.42)."""
Value = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Column:
    """``name`` is stable and stands in exports, ``title`` on the screen."""

    name: str
    title: str
    unit: Unit
    value: Callable[[Row], Value]
    about: str
    """What it is, for the list of columns and the README."""
    better: Literal["high", "low", ""] = ""
    """Which end is marked as the best."""
    shown: bool = False
    """Whether it is on the screen unless the user chooses otherwise."""
    optional: bool = False
    """Left out of the screen where no row has a value."""
