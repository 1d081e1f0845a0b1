"""What stands in a cell of the comparison on the screen. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from engine.report import cells
from engine.report.cells import factor
from engine.report.column import Column
from engine.report.comparison import Row
from engine.report.difference import LEAST_REPEATS, Difference
from tui.widgets import format as show
from tui.widgets.fitting import at_word
from tui.widgets.summary import SIGNS

_MERGED = frozenset(("speedup_low", "speedup_high", "call", "repeats_to_settle"))
"""Columns of an export that are one cell of the screen, together with ``speedup``."""

_FOREMOST = (
    *("state", "images_per_second", "speedup", "top1", "peak_memory", "val_loss"),
    *("stall_share", "seconds_to_accuracy", "batch_seconds_median", "train_seconds"),
)
"""What is in sight first where not all fit; the others follow as in an export."""

_LONGEST = 40
"""Cells of a text: a reason or the name of a device tells the rest in the details."""


def on_screen(columns: Sequence[Column]) -> tuple[Column, ...]:
    """Those that can be chosen for the screen, the weightiest first; the name is always there."""
    found = [each for each in columns if each.name not in {"name", *_MERGED}]
    weight = {name: place for place, name in enumerate(_FOREMOST)}
    return tuple(sorted(found, key=lambda each: weight.get(each.name, len(weight))))


def cell(column: Column, row: Row, narrow: bool = False) -> str:
    """The value as people read it; an unknown one is ``–``."""
    if column.name == "speedup":
        return speedup(row.difference, narrow)
    if column.name == "state":
        return f"{sign(row)[0]} {row.figures.state}"
    text = cells.cell(column, row)
    return at_word(text, _LONGEST) if column.unit == "text" else text


def sign(row: Row) -> tuple[str, str]:
    """The sign of a row's state and its colour; of several states that which asks for attention."""
    states = {row.figures.state, *(each.state for each in row.repeats)}
    if row.figures.state in SIGNS:
        return SIGNS[row.figures.state]
    found = next((each for each in _BY_WEIGHT if each in states), "queued")
    return SIGNS[found]


_BY_WEIGHT = ("running", "starting", "stopping", "silent", "failed", "crashed", "stopped", "queued")


def speedup(difference: Difference, narrow: bool = False) -> str:
    """``1.42x (1.31–1.54)``, ``tie (0.99–1.01)``, ``1.05x undecided (needs 5)``.

    The call stands in the cell: without it a ratio says more than is known. Where it is
    ``narrow``, what is not decided leaves its ratio out before it leaves out what would decide it.
    """
    call, needs = difference.call, difference.repeats_to_settle
    if call == "baseline":
        return "baseline"
    if call == "unknown" or difference.ratio is None:
        return show.UNKNOWN
    if call == "undecided":
        ratio = f"{factor(difference.ratio)}x undecided"
        # Of two repeats the spread says next to nothing of how many it takes.
        if needs is None or difference.pairs < LEAST_REPEATS:
            return ratio
        return f"undecided (needs {needs:,})" if narrow else f"{ratio} (needs {needs:,})"
    if call == "tie" and difference.low is not None and difference.high is not None:
        return f"tie ({factor(difference.low)}–{factor(difference.high)})"
    return "tie" if call == "tie" else cells.speedup(difference)


def is_left(column: Column) -> bool:
    """Text stands to the left, numbers to the right."""
    return column.unit in ("text", "flag")
