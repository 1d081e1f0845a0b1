"""A table that scrolls sideways by whole columns behind a first one that stays.

It is told its cells as text and paints only the lines in sight; its cursor keeps to a row by key
whatever the order becomes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message

from tui.widgets.lines import Lines

GAP = 2
"""Cells between columns."""

MARKS = {"best": ("▲", "$success"), "worst": ("▼", "$warning")}
"""How the ends of a column look; both signs have likenesses in ASCII."""


class Cell(NamedTuple):
    """A text, its mark (``best``, ``worst`` or none) and its style."""

    text: str
    mark: str = ""
    style: str = "$foreground"


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a column. ``marked``: its cells have room for a mark behind them."""

    title: str
    left: bool = False
    marked: bool = False


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row, or with an empty ``key`` a line between rows that no cursor stops at."""

    key: str
    name: Content
    """What stands in the column that stays."""
    cells: tuple[Cell, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """All of it. ``widths`` are of the heads, marks included."""

    heads: tuple[Head, ...] = ()
    rows: tuple[TableRow, ...] = ()
    widths: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        rows = [row for row in self.rows if row.key]
        widths = (
            max([len(head.title), *(len(row.cells[place].text) for row in rows)]) + 2 * head.marked
            for place, head in enumerate(self.heads)
        )
        object.__setattr__(self, "widths", tuple(widths))

    @property
    def name_width(self) -> int:
        return max((row.name.cell_length for row in self.rows if row.key), default=0)

    def names(self, width: int) -> int:
        """Cells of the column that stays, in a room of ``width``: others need some too."""
        return min(self.name_width, max(12, width - max(self.widths, default=0) - GAP))

    def fitting(self, first: int, width: int) -> int:
        """How many columns from ``first`` on fit into ``width`` cells whole; at least one."""
        room = width - self.names(width)
        count = 0
        for each in self.widths[first:]:
            room -= each + GAP
            if room < 0:
                break
            count += 1
        return max(1, count)

    def last_first(self, width: int) -> int:
        """The furthest that scrolling goes: from there on all others fit."""
        for first in range(len(self.widths)):
            if first + self.fitting(first, width) >= len(self.widths):
                return first
        return 0


class ComparisonTable(Lines):
    """Shows a ``Table``. ``head`` is its heading, for a line of its own above."""

    class Visited(Message):
        """The cursor is on another row."""

    class Opened(Message):
        """Enter on a row."""

    class Scrolled(Message):
        """Other columns are in sight."""

    BINDING_GROUP_TITLE = "table"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "details", key_display="Enter"),
        Binding("b", "screen.baseline", "baseline"),
        Binding("space", "screen.mark", "draw this row below, or no longer", show=False),
        Binding("left", "across(-1)", "columns to the left", show=False),
        Binding("right", "across(1)", "columns to the right", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.table = Table()
        self.first = 0
        """The column behind the one that stays."""
        self._key = ""

    @property
    def key(self) -> str:
        """Of the row under the cursor; empty where there is none."""
        row = self._row(self.cursor)
        return row.key if row is not None else ""

    @property
    def room(self) -> int:
        return max(1, self.scrollable_content_region.width - 1)

    @property
    def in_sight(self) -> tuple[int, int]:
        """The first and the last column in sight, from 1."""
        return self.first + 1, self.first + self.table.fitting(self.first, self.room)

    @property
    def hides_columns(self) -> bool:
        return self.table.last_first(self.room) > 0

    def show(self, table: Table) -> None:
        """Paints what changed; the cursor stays on its row, the columns where they are."""
        if table == self.table:
            return
        before, self.table = self.table, table
        self.first = min(self.first, table.last_first(self.room))
        same = [row.key for row in before.rows] == [row.key for row in table.rows]
        if same and before.heads == table.heads and before.widths == table.widths:
            for number, (old, new) in enumerate(zip(before.rows, table.rows, strict=True)):
                if old != new:
                    self.refresh_line(number)
            return
        wanted = self._key
        self.set_count(len(table.rows))
        self.go_to(wanted)
        if self.key != self._key:
            # It is gone, or this is the first table.
            self._key = self.key
            self.post_message(self.Visited())

    def go_to(self, key: str) -> None:
        """Puts the cursor on that row, where it is there."""
        for number, row in enumerate(self.table.rows):
            if row.key and row.key == key:
                self.cursor = number
                self.scroll_to_line(number)
                return

    def _row(self, number: int) -> TableRow | None:
        rows = self.table.rows
        return rows[number] if 0 <= number < len(rows) else None

    def can_stop_at(self, number: int) -> bool:
        row = self._row(number)
        return row is not None and bool(row.key)

    def watch_cursor(self, old: int, new: int) -> None:
        self.refresh_line(old)
        self.refresh_line(new)
        self.scroll_to_line(new)
        if self.key != self._key:
            self._key = self.key
            self.post_message(self.Visited())

    def action_open(self) -> None:
        if self.key:
            self.post_message(self.Opened())

    def action_across(self, by: int) -> None:
        first = min(max(self.first + by, 0), self.table.last_first(self.room))
        if first != self.first:
            self.first = first
            self.refresh()
            self.post_message(self.Scrolled())

    def on_resize(self) -> None:
        super().on_resize()
        self.first = min(self.first, self.table.last_first(self.room))
        self.post_message(self.Scrolled())

    # Drawing

    def head(self) -> Content:
        """The titles of the columns in sight, each where its cells end."""
        table = self.table
        line = [Content(" " * (table.names(self.room) + 1))]
        for place in self._places():
            head, width = table.heads[place], table.widths[place]
            slot = width - 2 * head.marked
            title = head.title.ljust(slot) if head.left else head.title.rjust(slot)
            line.append(Content(" " * GAP + title + "  " * head.marked))
        return Content("").join(line)

    def line(self, number: int, width: int) -> Content:
        row = self.table.rows[number]
        if not row.key:
            return Content.assemble(" ", row.name)
        here = number == self.cursor
        names = self.table.names(self.room)
        name = row.name.truncate(names, ellipsis=True, pad=True)
        parts = [Content.styled("▌" if here else " ", "$primary"), name]
        for place in self._places():
            head, broad = self.table.heads[place], self.table.widths[place]
            parts.append(_cell(row.cells[place], head, broad, here))
        return Content("").join(parts)

    def _places(self) -> Sequence[int]:
        first, last = self.in_sight
        return range(first - 1, min(last, len(self.table.heads)))


def _cell(cell: Cell, head: Head, width: int, here: bool) -> Content:
    slot = width - 2 * head.marked
    text = cell.text.ljust(slot) if head.left else cell.text.rjust(slot)
    sign, colour = MARKS.get(cell.mark, (" ", ""))
    style = f"bold {cell.style}" if here or cell.mark else cell.style
    return Content.assemble(
        " " * GAP, (text, style), (f" {sign}" if head.marked else "", f"bold {colour}".strip())
    )
