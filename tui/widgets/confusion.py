"""What is taken for what: the whole matrix, or the pairs that are confused most. Pure."""

from __future__ import annotations

from rich.cells import cell_len
from textual.content import Content

from engine.report.classes import ClassReport, Confusion
from engine.report.matrix import Cell, grid, width_of
from tui.widgets import format as show
from tui.widgets.class_table import called, fitted
from tui.widgets.line import bar

_NAME = 24
_BAR = 14
_LEAST_NAME = 8

KEY = "░ a quarter of a class's images at most  ▒ half  ▓ three quarters  █ more"


def matrix(report: ClassReport, width: int) -> list[Content] | None:
    """A line per class under one of numbers; ``None`` where it does not fit."""
    digits = len(str(len(report.classes)))
    drawn = grid(report, width - digits - 2 - _LEAST_NAME)
    if drawn is None:
        return None
    places = range(len(report.classes))
    longest = max(cell_len(called(report, place)) for place in places)
    name = min(longest, _NAME, width - digits - 2 - width_of(report))
    lines = [Content.styled(" " * (digits + 2 + name) + drawn.head, "$quiet")]
    for place, cells in zip(places, drawn.rows, strict=True):
        lines.append(
            Content.assemble(
                (f"{place + 1 if drawn.numbered else '':>{digits}}  ", "$quiet"),
                (fitted(called(report, place), name), "$foreground"),
                *((cell.text, _style(cell)) for cell in cells),
            )
        )
    return lines


def pairs_head(width: int) -> Content:
    """The titles of the pairs' columns."""
    name = _pair_name(width)
    drawn = " " * (_BAR + 2) if _has_bar(width) else ""
    titles = f"{'true':<{name}}   {'taken for':<{name}}{'images':>9}{'of the class':>14}{drawn}"
    return Content.styled(" " + titles, "$quiet")


def pair(report: ClassReport, each: Confusion, width: int) -> Content:
    """One of them."""
    name = _pair_name(width)
    return Content.assemble(
        " ",
        (fitted(called(report, each.true), name), "$foreground"),
        (" → ", "$quiet"),
        (fitted(called(report, each.said), name), "$foreground"),
        (f"{each.count:>9,}", "bold $foreground"),
        (f"{show.percent(each.share):>14}", "$quiet"),
        *(("  ", bar(each.share, _BAR, "$series-validation")) if _has_bar(width) else ()),
    )


def _pair_name(width: int) -> int:
    return max(8, min(36, (width - 27 - (_BAR + 2) * _has_bar(width)) // 2))


def _has_bar(width: int) -> bool:
    return width >= 90


def _style(cell: Cell) -> str:
    if not cell.share:
        return "$faint"
    if cell.right:
        return "bold $series-train"
    return "bold $series-validation" if cell.share > 0.25 else "$series-validation"
