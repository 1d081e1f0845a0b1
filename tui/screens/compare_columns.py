"""Which columns of the comparison are on the screen, and in which order its rows stand. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from engine.report.cells import number
from engine.report.column import Column
from engine.report.comparison import Row
from tui.screens import compare_cells as cells
from tui.widgets import format as show


@dataclass(frozen=True, slots=True)
class Ticks:
    """What the user chose against the columns' own word, by name."""

    shown: frozenset[str] = frozenset()
    hidden: frozenset[str] = frozenset()

    def wants(self, column: Column) -> bool:
        if column.name in self.shown:
            return True
        return column.shown and column.name not in self.hidden

    def turned(self, column: Column) -> Ticks:
        """The other way round."""
        if self.wants(column):
            hidden = self.hidden | {column.name} if column.shown else self.hidden
            return replace(self, shown=self.shown - {column.name}, hidden=hidden)
        shown = self.shown if column.shown else self.shown | {column.name}
        return replace(self, shown=shown, hidden=self.hidden - {column.name})


@dataclass(frozen=True, slots=True)
class Order:
    """By which column the rows are sorted; an empty name keeps the order of the plans."""

    name: str = ""
    reverse: bool = False
    """The good end, or for text the first, stands below."""


def chosen(
    columns: Sequence[Column], rows: Sequence[Row], ticks: Ticks, narrow: bool = False
) -> tuple[Column, ...]:
    """The columns to show: of the optional ones, those with a value or asked for by name.

    Where it is ``narrow`` the state is a sign beside the name.
    """
    return tuple(
        each
        for each in cells.on_screen(columns)
        if ticks.wants(each)
        and not (narrow and each.name == "state")
        and (
            not each.optional
            or each.name in ticks.shown
            or any(cells.cell(each, row) != show.UNKNOWN for row in rows)
        )
    )


def groups(rows: Sequence[Row]) -> tuple[tuple[str, tuple[Row, ...]], ...]:
    """Rows by the kind of their devices; what is not known yet is with the first kind."""
    kinds = tuple(dict.fromkeys(kind for row in rows if (kind := row.figures.device_kind)))
    if len(kinds) < 2:
        return (("", tuple(rows)),)
    return tuple(
        (kind, tuple(row for row in rows if (row.figures.device_kind or kinds[0]) == kind))
        for kind in kinds
    )


def ordered(rows: Sequence[Row], columns: Sequence[Column], order: Order) -> tuple[Row, ...]:
    """Best first, or text by the alphabet; what is unknown is last whichever way round."""
    column = next((each for each in columns if each.name == order.name), None)
    if column is None:
        return tuple(reversed(rows)) if order.reverse else tuple(rows)
    known, unknown = [], []
    for row in rows:
        value = column.value(row)
        known_number = number(value)
        if isinstance(value, str | bool) and value != "":
            known.append((0.0, str(value).casefold(), row))
        elif known_number is not None:
            known.append((-known_number if column.better == "high" else known_number, "", row))
        else:
            unknown.append(row)
    known.sort(key=lambda each: each[:2], reverse=order.reverse)
    return (*(row for _, _, row in known), *unknown)


def told(order: Order, columns: Sequence[Column]) -> str:
    """``sorted by images/s, best first``; empty for the order of the plans."""
    column = next((each for each in columns if each.name == order.name), None)
    if column is None:
        return "the plan's order, reversed" if order.reverse else ""
    if column.better:
        end = "worst" if order.reverse else "best"
    elif column.unit in ("text", "flag"):
        return f"sorted by {column.title}{', reversed' if order.reverse else ''}"
    else:
        end = "highest" if order.reverse else "lowest"
    return f"sorted by {column.title}, {end} first"
