"""The table at the end, and why a run failed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from rich.console import Console
from rich.table import Table
from rich.text import Text

from engine.journal.views import ExperimentView
from engine.plan.text import clean
from engine.report.rows import Row
from tui.widgets import format as show


class _Column(NamedTuple):
    title: str
    cell: Callable[[Row], str]
    weight: int
    """Where not all fit, the heaviest do."""
    optional: bool = False
    """Left out where no run has a value for it."""


_COLUMNS = (
    _Column("epochs", lambda row: show.count(row.epochs), 10),
    _Column("top-1", lambda row: show.percent(row.top1), 13),
    _Column("best", lambda row: show.percent(row.best_top1), 8),
    _Column("top-5", lambda row: show.percent(row.top5), 0, optional=True),
    _Column("train loss", lambda row: show.plain(row.train_loss), 1),
    _Column("val loss", lambda row: show.plain(row.val_loss), 9),
    _Column("images/s", lambda row: show.rate(row.images_per_second), 12),
    _Column("per batch", lambda row: show.seconds(row.batch_seconds), 2),
    _Column("waiting", lambda row: show.percent(row.wait_share), 5),
    _Column("bubble", lambda row: show.percent(row.bubble, 0), 6, optional=True),
    _Column("peak memory", lambda row: show.gib(row.peak_memory), 7),
    _Column("precision", lambda row: row.precision or show.UNKNOWN, 3, optional=True),
    _Column("per device", lambda row: show.part(row.device_batch, row.batch_size), 4, True),
    _Column("time", lambda row: show.seconds(row.train_seconds), 11),
)
_GAP = 2
_FILE_WIDTH = 160


def console() -> Console:
    """Standard output: as wide as the terminal, or as wide as it needs to be in a file."""
    width = None if sys.stdout.isatty() else _FILE_WIDTH
    return Console(width=width, markup=False, highlight=False, emoji=False, soft_wrap=False)


def emit(renderable: Table | Text | str) -> None:
    """Prints to standard output, without the spaces with which rich fills its lines."""
    output = console()
    with output.capture() as capture:
        output.print(renderable)
    if sys.stdout.isatty():
        print(capture.get(), end="", flush=True)
    else:
        print("\n".join(line.rstrip() for line in capture.get().splitlines()), flush=True)


def results(rows: Sequence[Row], width: int) -> Table:
    """One row per run, numbers to the right; as many columns as fit, the weightiest first."""
    table = plain_table()
    table.add_column("strategy", no_wrap=True)
    table.add_column("state", no_wrap=True)
    columns = _fitting(rows, width)
    for column in columns:
        table.add_column(column.title, justify="right", no_wrap=True)
    for row in rows:
        cells = [row.strategy, row.state, *(column.cell(row) for column in columns)]
        table.add_row(*(Text(cell) for cell in cells))
    return table


def _fitting(rows: Sequence[Row], width: int) -> list[_Column]:
    def broad(title: str, cells: Iterable[str]) -> int:
        return max([len(title), *map(len, cells)]) + _GAP

    room = width + _GAP
    room -= broad("strategy", (row.strategy for row in rows))
    room -= broad("state", (row.state for row in rows))
    chosen = []
    for column in sorted(_COLUMNS, key=lambda each: -each.weight):
        cells = [column.cell(row) for row in rows]
        if column.optional and all(cell == show.UNKNOWN for cell in cells):
            continue
        room -= broad(column.title, cells)
        if room < 0:
            break
        chosen.append(column)
    return [column for column in _COLUMNS if column in chosen]


def plain_table() -> Table:
    """A table without lines around it, which a file and a narrow terminal hold as well."""
    return Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold")


def failures(view: ExperimentView) -> list[str]:
    """Why each failed run failed, with the last lines of its own traceback."""
    told = []
    for run in view.runs:
        if run.state == "failed":
            told.append(f"{run.strategy} failed: {clean(run.reason) or 'for no known reason'}")
            told.extend(f"    {clean(line)}" for line in run.detail.splitlines())
    return told
