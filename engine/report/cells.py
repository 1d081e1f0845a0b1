"""What stands in a cell of a table that people read, and which cell is the best or the worst. Pure.

The printed table and the reports that leave the program have it from here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Literal

from engine.plan.text import clean
from engine.report import spelling
from engine.report.column import Column, Unit, Value
from engine.report.comparison import Row
from engine.report.difference import Difference
from engine.report.spelling import UNKNOWN

Mark = Literal["best", "worst"]

_OF_SPEED = frozenset(("speedup", "images_per_second", "batch_seconds_median", "batch_seconds_p95"))
"""What the call on a difference speaks of: where it says tie, none is the best."""

_FEWEST, _MOST = 0.001, 1000
"""Ends of an interval beyond which its digits say nothing more."""


def cell(column: Column, row: Row) -> str:
    """The value as people read it; an unknown one is ``–``. A speed-up comes with its interval."""
    if column.name == "speedup":
        return speedup(row.difference)
    return spelled(column.value(row), column.unit)


def spelled(value: Value, unit: Unit) -> str:
    """A value of a column, by the column's unit."""
    if value is None or value == "" or (isinstance(value, float) and not math.isfinite(value)):
        return UNKNOWN
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return _BY_UNIT[unit](value)


def speedup(difference: Difference) -> str:
    """``1.42x (1.31–1.54)``: the ratio, and where there are enough repeats its interval.

    Three decimals where all of it is near 1: there a hundredth decides. An interval that reaches
    beyond a thousandth or a thousand, as of two repeats that disagree, ends with ``<`` or ``>``.
    """
    ratio, low, high = difference.ratio, difference.low, difference.high
    if ratio is None:
        return UNKNOWN
    if difference.call == "baseline":
        return f"{factor(1.0)}x"
    near = all(abs(each - 1.0) <= 0.05 for each in (ratio, low, high) if each is not None)

    def told(value: float) -> str:
        return f"{value:.3f}" if near else factor(value)

    if low is None or high is None:
        return f"{told(ratio)}x"
    begin = f"<{_FEWEST:g}" if low < _FEWEST else told(low)
    end = f">{_MOST:,}" if high > _MOST else told(high)
    return f"{told(ratio)}x ({begin}–{end})"


def factor(value: float) -> str:
    """Two decimals, fewer where the number is large; where it is tiny two digits, which are not all
    0."""
    if value < 0.0995:
        return spelling.plain(value, 2)
    return f"{value:.2f}" if value < 9.995 else f"{value:.1f}" if value < 99.95 else f"{value:,.0f}"


def number(value: Value) -> float | None:
    """As something that can be compared; ``None`` for text, yes or no, and what is unknown."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None


def marks(column: Column, rows: Sequence[Row]) -> dict[str, Mark]:
    """The best and the worst of the rows, by their keys; of each kind of device apart.

    Only of rows of which something is done: what broke off took less of everything.
    Neither where fewer than two are known, where several share the place, or where what is first
    and what follows is a tie by the statistics.
    """
    found: dict[str, Mark] = {}
    if column.better:
        for kind in dict.fromkeys(row.figures.device_kind for row in rows):
            alike = [row for row in rows if row.figures.device_kind == kind and row.figures.repeats]
            found.update(_marks(column, alike))
    return found


def _marks(column: Column, rows: Sequence[Row]) -> dict[str, Mark]:
    known = [(value, row) for row in rows if (value := number(column.value(row))) is not None]
    if len({spelled(value, column.unit) for value, _ in known}) < 2:
        return {}
    known.sort(key=lambda each: each[0], reverse=column.better == "high")
    ends: tuple[tuple[Mark, int, int], ...] = (("best", 0, 1), ("worst", -1, -2))
    return {
        known[first][1].key: mark
        for mark, first, second in ends
        if not _alike(column, known[first], known[second])
    }


def _alike(column: Column, one: tuple[float, Row], other: tuple[float, Row]) -> bool:
    """Whether what is shown is the same, is a tie, or is a speed-up that may be none."""
    if spelled(one[0], column.unit) == spelled(other[0], column.unit):
        return True
    ours, theirs = one[1].difference.call, other[1].difference.call
    if column.name == "speedup" and "undecided" in (ours, theirs if ours == "baseline" else ""):
        return True
    return column.name in _OF_SPEED and {ours, theirs} <= {"tie", "baseline"}


def _change(value: float) -> str:
    told = f"{value * 100:+.1f} %"
    return "0.0 %" if told in ("+0.0 %", "-0.0 %") else told


def _seconds(value: float) -> str:
    return spelling.brief(value) if value < 99.95 else spelling.seconds(value)


_BY_UNIT: dict[Unit, Callable[[float], str]] = {
    "text": str,
    "count": spelling.count,
    "flag": lambda value: "yes" if value else "no",
    "share": spelling.percent,
    "change": _change,
    "seconds": _seconds,
    "hours": lambda value: f"{value:,.2f} h" if value >= 0.0995 else f"{value:.3g} h",
    "bytes": spelling.gib,
    "rate": spelling.rate,
    "ratio": factor,
    "loss": spelling.plain,
    "money": lambda value: f"{value:,.2f}" if value >= 0.1 else spelling.plain(value, 3),
}
