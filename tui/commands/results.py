"""A comparison as a table on standard output, and what is said below it."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Literal

from rich.table import Table
from rich.text import Text

from engine.plan.text import clean
from engine.report.cells import cell, marks
from engine.report.column import Column
from engine.report.columns import COLUMNS
from engine.report.comparison import Comparison, Constancy, Row, Source
from engine.report.spelling import UNKNOWN
from tui.commands.table import GAP, console, emit, plain_table, say

_WEIGHTS = (
    "images_per_second", "speedup", "call", "top1", "train_seconds", "peak_memory", "val_loss",
    "batch_seconds_median", "stall_share", "epochs", "repeats", "best_top1", "repeats_to_settle",
    "seconds_to_accuracy", "scaling_efficiency", "cost", "gpu_hours", "device_idle_share",
    "bubble", "epoch_seconds_actual", "epoch_seconds_error", "batch_size",
    "batch_size_per_device", "precision", "batch_seconds_p95", "top5", "train_loss",
    "startup_seconds", "num_workers", "optimizer_steps",
)  # fmt: skip
"""Where not all columns fit, the first of these do."""
_OF_SEVERAL = frozenset(("speedup", "call", "repeats_to_settle"))
"""Say something only where there is another row."""

_SIGNS = {"best": "▲", "worst": "▼"}
_ASCII_SIGNS = {"best": "^", "worst": "v"}
_VIEWS = {"equal": "equal global batch", "best": "each at its best batch"}


def show(comparisons: Sequence[Comparison], letters: Mapping[str, str] | None = None) -> None:
    """Prints each view's table, by kind of device, and what is said of it.

    ``letters``: what each experiment is called in them, and its name.
    """
    if letters:
        print()
    for letter, name in (letters or {}).items():
        print(f"{letter}  {clean(name)}")
    for comparison in comparisons:
        print()
        if len(comparison.views) > 1:
            print(f"{_VIEWS[comparison.view]}:")
        for number, part in enumerate(_by_kind(comparison)):
            if number:
                emit("")
            emit(results(part, comparison, console().width))
        for line in below(comparison):
            say(line)


def results(rows: Sequence[Row], comparison: Comparison, width: int) -> Table:
    """One row per strategy, numbers to the right; as many columns as fit, the weightiest first."""
    table = plain_table()
    names = row_names(comparison)
    table.add_column("strategy", no_wrap=True)
    table.add_column("state", no_wrap=True)
    columns = _fitting(rows, comparison, names, width)
    cells = [_cells(column, rows) for column in columns]
    for column in columns:
        table.add_column(column.title, justify=_justify(column), no_wrap=True)
    for place, row in enumerate(rows):
        first = [names[row.key], row.figures.state]
        table.add_row(*(Text(told) for told in (*first, *(each[place] for each in cells))))
    return table


def below(comparison: Comparison) -> list[str]:
    """The legend, who wins, what must be known, and what was held constant."""
    said = []
    rows = comparison.rows
    if len(rows) > 1:
        signs = _signs()
        told = f"{signs['best']} best  {signs['worst']} worst"
        if any(row.difference.low is not None for row in rows):
            told += "   speed-up: over the baseline, with its 95 % interval"
        said += [told, ""]
    if comparison.verdict:
        said.append(comparison.verdict)
    said += comparison.remarks
    for constancy, title in _TITLES:
        those = [each for each in comparison.held if each.constancy == constancy]
        if those and constancy == "equal":
            said.append(f"{title}: {', '.join(each.what for each in those)}")
        else:
            said += [f"{title}: {each.what}" + (f" ({each.detail})" if each.detail else "")
                     for each in those]  # fmt: skip
    return [clean(each) for each in said]


_TITLES: tuple[tuple[Constancy, str], ...] = (
    ("equal", "held constant"), ("differs", "differs"), ("unknown", "not known to be equal")
)  # fmt: skip


def row_names(comparison: Comparison) -> dict[str, str]:
    """What stands in the first column, by key: the strategy, with a number where it has several
    rows, and the letter of its experiment where there are several."""
    several = len({row.figures.experiment for row in comparison.rows}) > 1
    told: dict[str, str] = {}
    for row in comparison.rows:
        experiment = row.figures.experiment
        name = row.key.removeprefix(f"{experiment}/")
        told[row.key] = clean(f"{experiment} {name}" if several else name)
    return told


def lettered(sources: Sequence[Source]) -> dict[str, str]:
    """A letter for each experiment, by which it is called in a table of several, and its name."""
    return {
        chr(ord("A") + place) if place < 26 else f"#{place + 1}": source.name
        for place, source in enumerate(sources)
    }


def _by_kind(comparison: Comparison) -> list[list[Row]]:
    """Rows of one kind of device each, in the order in which they stand together."""
    kinds = [row.figures.device_kind for row in comparison.rows]
    first = next((kind for kind in kinds if kind), None)
    return [
        list(part)
        for _, part in groupby(comparison.rows, lambda row: row.figures.device_kind or first)
    ]


def _fitting(
    rows: Sequence[Row], comparison: Comparison, names: dict[str, str], width: int
) -> list[Column]:
    room = width + GAP
    room -= max(len("strategy"), *(len(names[row.key]) for row in rows)) + GAP
    room -= max(len("state"), *(len(row.figures.state) for row in rows)) + GAP
    by_name = {column.name: column for column in COLUMNS}
    chosen = []
    for name in _WEIGHTS:
        column = by_name[name]
        cells = _cells(column, rows)
        if not _says(column, cells, comparison):
            continue
        room -= max(map(len, (column.title, *cells))) + GAP
        if room < 0:
            break
        chosen.append(column)
    return [column for column in COLUMNS if column in chosen]


def _says(column: Column, cells: Sequence[str], comparison: Comparison) -> bool:
    if column.name in _OF_SEVERAL and len(comparison.rows) < 2:
        return False
    if column.name == "repeats":
        return any(len(row.repeats) > 1 for row in comparison.rows)
    return column.name in ("images_per_second", "top1") or any(each != UNKNOWN for each in cells)


def _cells(column: Column, rows: Sequence[Row]) -> list[str]:
    """With the marks in front, so that numbers end below one another."""
    told = [cell(column, row) for row in rows]
    if column.name == "repeats":
        told = [f"{row.figures.repeats} of {len(row.repeats)}" for row in rows]
    marked, signs = marks(column, rows), _signs()
    return [
        f"{signs[marked[row.key]]} {each}" if row.key in marked else each
        for each, row in zip(told, rows, strict=True)
    ]


def _justify(column: Column) -> Literal["left", "right"]:
    return "left" if column.unit in ("text", "flag") else "right"


def _signs() -> dict[str, str]:
    """Of letters where the output has no others."""
    try:
        "".join(_SIGNS.values()).encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return _ASCII_SIGNS
    return _SIGNS
