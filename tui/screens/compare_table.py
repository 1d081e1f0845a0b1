"""From a comparison to the lines of its table. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from textual.content import Content

from engine.plan.text import clean
from engine.report.cells import Mark, marks
from engine.report.column import Column
from engine.report.comparison import Comparison, Row
from tui.compared import Look
from tui.screens import compare_cells as cells
from tui.screens.compare_columns import Order, groups, ordered
from tui.screens.live_plots import MEANINGS
from tui.widgets import format as show
from tui.widgets import plot_words
from tui.widgets.comparison_table import Cell, Head, Table, TableRow

_QUIET = frozenset(("queued", "starting"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Signs:
    """What stands before the names: how a row is drawn below, and which the user marked."""

    drawn: Sequence[str] = ()
    """Keys, each at the place of its sign; empty where no curves are shown."""
    room: bool = False
    """Whether signs have their room although there is none to be shown."""
    marked: frozenset[str] = frozenset()
    ascii: bool = False
    narrow: bool = False
    """Whether the sign of the state stands there as well: it has no column."""


def rows_in_order(
    comparison: Comparison, columns: Sequence[Column], order: Order
) -> tuple[tuple[str, tuple[Row, ...]], ...]:
    """The rows as the table has them, by kind of device."""
    return tuple((kind, ordered(rows, columns, order)) for kind, rows in groups(comparison.rows))


def table(
    comparison: Comparison,
    look: Look,
    columns: Sequence[Column],
    parts: Sequence[tuple[str, Sequence[Row]]],
    signs: Signs,
) -> Table:
    """``parts`` are the rows by kind of device, in their order."""
    found = {column.name: _marks(column, parts) for column in columns}
    heads = tuple(
        Head(column.title, cells.is_left(column), bool(found[column.name])) for column in columns
    )
    numbers = numbered(comparison, look)
    names = _names(look, comparison, numbers, signs)
    lines = []
    for kind, rows in parts:
        if kind:
            lines.append(TableRow("", Content.styled(f"measured on {kind}", "$quiet")))
        for row in rows:
            line = tuple(_cell(column, row, found[column.name], signs.narrow) for column in columns)
            lines.append(TableRow(row.key, names[row.key], line))
    return Table(heads, tuple(lines))


def _marks(column: Column, parts: Sequence[tuple[str, Sequence[Row]]]) -> dict[str, Mark]:
    """Of strategies of which at least one run is done: what was cut short is no measure."""
    found: dict[str, Mark] = {}
    for _, rows in parts:
        found.update(marks(column, [row for row in rows if row.figures.repeats]))
    return found


def _cell(column: Column, row: Row, marked: Mapping[str, Mark], narrow: bool) -> Cell:
    text = cells.cell(column, row, narrow)
    style = "$foreground"
    if text == show.UNKNOWN or row.figures.state in _QUIET:
        style = "$quiet"
    if column.name == "state":
        style = cells.sign(row)[1]
    return Cell(text, marked.get(row.key, ""), style)


def numbered(comparison: Comparison, look: Look) -> dict[str, int]:
    """The number of each row of the shown experiment, from 1, whatever the order on the screen."""
    own = [row.key for row in comparison.rows if look.is_shown(row)]
    return {key: place for place, key in enumerate(own, start=1)}


def _names(
    look: Look, comparison: Comparison, numbers: Mapping[str, int], signs: Signs
) -> dict[str, Content]:
    digits = len(str(len(numbers)))
    letters = max((len(look.letter(row.figures.experiment)) for row in comparison.rows), default=0)
    names = {}
    for row in comparison.rows:
        letter = look.letter(row.figures.experiment).ljust(letters)
        number = str(numbers.get(row.key, "")).rjust(digits)
        names[row.key] = Content.assemble(
            *_sign(row.key, signs),
            *_state(row, signs),
            (f"{letter} " if letters else "", "bold $accent"),
            (f"{number} ", "$quiet"),
            (clean(row.figures.name), "bold $foreground"),
            (repeats(row), "$quiet"),
        )
    return names


def _sign(key: str, signs: Signs) -> list[tuple[str, str]]:
    """``┄┄``: the dash of the row's curve; a star where the user chose it."""
    if not signs.drawn and not signs.room:
        return []
    chosen = ("*" if key in signs.marked else " ", "bold $accent")
    if key not in signs.drawn:
        return [chosen, ("   ", "$quiet")]
    nth = list(signs.drawn).index(key)
    dash = plot_words.dash_glyph(nth, signs.ascii)
    return [chosen, (f"{dash} ", _COLOURS[MEANINGS[nth % len(MEANINGS)]])]


def _state(row: Row, signs: Signs) -> list[tuple[str, str]]:
    if not signs.narrow:
        return []
    sign, colour = cells.sign(row)
    return [(f"{sign} ", f"bold {colour}")]


_COLOURS = {
    "train": "$series-train",
    "run2": "$series-validation",
    "run3": "$series-time",
    "run4": "$series-speed",
    "run5": "$series-rate",
    "run6": "$series-wait",
}
"""As ``tui.widgets.chart`` draws them."""


def repeats(row: Row) -> str:
    """`` ▸3`` for three repeats in the row, `` ▸1/3`` while one of them is done."""
    all_, done = len(row.repeats), row.figures.repeats
    if all_ < 2:
        return ""
    return f" ▸{all_}" if done == all_ else f" ▸{done}/{all_}"
