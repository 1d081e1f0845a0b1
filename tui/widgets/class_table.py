"""Results by class as lines: a row for each class, and what is said of one. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from rich.cells import cell_len, set_cell_size
from textual.content import Content

from engine.plan.text import clean
from engine.report.classes import ClassReport, ClassResult
from tui.widgets import format as show
from tui.widgets.line import bar

_WIDEST_NAME = 36
_BAR = 14
_LISTED = 12
_TAKEN = 26
"""Cells that what a class is taken for needs at least."""


class Column(NamedTuple):
    """``width`` in cells, its gap to the left included."""

    title: str
    width: int
    cell: Callable[[ClassReport, int], Content]
    """Of the class at a place, at most as wide."""
    left: bool = False


def columns(report: ClassReport, width: int) -> list[Column]:
    """What there is room for in ``width`` cells; the name takes what others need least."""
    digits = len(str(len(report.classes)))
    numbers = [
        _share("top-1", 9, lambda each: each.recall, "bold $foreground"),
        _share("precision", 11, lambda each: each.precision),
        _share("F1", 9, lambda each: each.f1),
    ]
    # Among five classes or fewer the right one is always in the top five.
    if len(report.classes) > 5:
        numbers.insert(1, _share("top-5", 9, lambda each: each.top5_share))
    room = width - digits - 3 - 8 - sum(each.width for each in numbers)
    longest = max(cell_len(called(report, place)) for place in range(len(report.classes)))
    name = max(8, min(longest, _WIDEST_NAME, room))
    room -= name
    if room >= 17:
        numbers.insert(1, Column("95 % interval", 17, _interval))
        room -= 17
    if room >= _BAR + 2:
        numbers.insert(0, Column("", _BAR + 2, _bar))
        room -= _BAR + 2
    taken = []
    if room - 2 >= _TAKEN:
        taken = [Column("  most often taken for", room, lambda r, n: _taken(r, n, room), left=True)]
    return [
        Column("", digits + 1, lambda r, n: Content.styled(str(n + 1), "$quiet")),
        Column("  class", name + 2, lambda r, n: _name(r, n, name), left=True),
        Column("images", 8, lambda r, n: _quiet(show.count(r.classes[n].images))),
        *numbers,
        *taken,
    ]


def head(of: list[Column]) -> Content:
    """The titles."""
    padded = (e.title.ljust(e.width) if e.left else e.title.rjust(e.width) for e in of)
    return Content.styled("".join(padded), "$quiet")


def row(report: ClassReport, place: int, of: list[Column]) -> Content:
    """One class."""
    parts: list[str | Content] = []
    for each in of:
        told = each.cell(report, place)
        space = " " * (each.width - told.cell_length)
        parts += [told, space] if each.left else [space, told]
    return Content.assemble(*parts)


def about(report: ClassReport, place: int, width: int) -> Content:
    """Two lines: what one class was taken for, and what was taken for it, most often first."""
    each = report.classes[place]
    first = Content.assemble(
        (called(report, place), "bold $foreground"),
        (f"  {each.top1:,} of {_images(each.images)} right", "$foreground"),
        *_listed(report, "  taken for: ", [(e.said, e.count) for e in report.taken_for(place)]),
    )
    second = Content.assemble(
        *_listed(report, "taken for it: ", [(e.true, e.count) for e in report.taken_from(place)])
    )
    lines = [line.truncate(width, ellipsis=True) for line in (first, second)]
    return Content("\n").join(lines)


def _listed(
    report: ClassReport, title: str, found: list[tuple[int, int]]
) -> tuple[tuple[str, str], ...]:
    if not found:
        return ()
    listed = ", ".join(f"{called(report, place)} ({count:,})" for place, count in found[:_LISTED])
    more = len(found) - _LISTED
    return (title, "$quiet"), (listed + (f" and {more:,} more" if more > 0 else ""), "$foreground")


def called(report: ClassReport, place: int) -> str:
    """What a class is called on the screen: its name, cleaned."""
    name = clean(report.classes[place].name)
    return name if report.named else f"class {name}"


def fitted(text: str, width: int) -> str:
    """``text`` in exactly ``width`` cells; cut in the middle where it is longer: names often begin
    or end alike."""
    if cell_len(text) <= width:
        return set_cell_size(text, width)
    if width < 8:
        return set_cell_size(text, width - 1) + "…" if width > 0 else ""
    end = (width - 1) // 3
    tail = text
    while cell_len(tail) > end:
        tail = tail[1:]
    return set_cell_size(text, width - 1 - cell_len(tail)) + "…" + tail


def _name(report: ClassReport, place: int, width: int) -> Content:
    return Content.styled("  " + fitted(called(report, place), width), "$foreground")


def _share(
    title: str,
    width: int,
    value: Callable[[ClassResult], float | None],
    style: str = "$foreground",
) -> Column:
    def cell(report: ClassReport, place: int) -> Content:
        share = value(report.classes[place])
        return Content.styled(show.percent(share), "$quiet" if share is None else style)

    return Column(title, width, cell)


def _interval(report: ClassReport, place: int) -> Content:
    between = report.classes[place].interval
    if between is None:
        return _quiet(show.UNKNOWN)
    return _quiet(f"{between[0] * 100:.1f}–{between[1] * 100:.1f} %")


def _bar(report: ClassReport, place: int) -> Content:
    return bar(report.classes[place].recall, _BAR, "$series-validation")


def _taken(report: ClassReport, place: int, width: int) -> Content:
    pairs = report.taken_for(place)
    if not pairs:
        return Content("")
    said = f" ({pairs[0].count:,}, {show.percent(pairs[0].share)})"
    name = fitted(called(report, pairs[0].said), max(0, width - 2 - len(said)))
    return _quiet(f"  {name.rstrip()}{said}")


def _quiet(text: str) -> Content:
    return Content.styled(text, "$quiet")


def _images(number: int) -> str:
    return f"{number:,} image" + ("s" if number != 1 else "")
