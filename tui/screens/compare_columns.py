"""The columns of the comparison: which there are, and which fit. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from engine.plan.text import clean
from engine.report.rows import Row, kinds
from tui.widgets import format as show

_PADDING = 2
"""A cell of it on either side of every column."""


@dataclass(frozen=True, slots=True)
class Column:
    """A heading and what stands below it; at least ``least`` cells, so that it stands still."""

    title: str
    cell: Callable[[Row], str]
    least: int = 0
    left: bool = False
    optional: bool = False
    """Left out where no run has a value for it."""


def _bubble(row: Row) -> str:
    """``25 % (11 %)``: measured, and in theory."""
    if row.bubble_in_theory is None:
        return show.UNKNOWN
    return f"{show.percent(row.bubble, 0)} ({show.percent(row.bubble_in_theory, 0)})"


_STRATEGY = Column("strategy", lambda row: clean(row.strategy), 8, left=True)
_DEVICE = Column("device", lambda row: row.device_kind or show.UNKNOWN, 6, left=True)
_REST = (
    Column("state", lambda row: row.state, 8, left=True),
    Column("epochs", lambda row: show.count(row.epochs)),
    Column("images/s", lambda row: show.rate(row.images_per_second)),
    Column("val top-1", lambda row: show.percent(row.top1)),
    Column("best", lambda row: show.percent(row.best_top1), 7),
    Column("val loss", lambda row: show.plain(row.val_loss)),
    Column("waiting", lambda row: show.percent(row.wait_share)),
    Column("step", lambda row: show.seconds(row.batch_seconds), 7),
    Column("memory", lambda row: show.gib(row.peak_memory), 8),
    Column("time", lambda row: show.seconds(row.train_seconds), 10),
    Column("bubble", _bubble, 11, optional=True),
    Column("per device", lambda row: show.part(row.device_batch, row.batch_size), optional=True),
    Column("precision", lambda row: row.precision or show.UNKNOWN, optional=True),
)
"""By weight: what does not fit is left out from the right."""


def columns(rows: Sequence[Row], room: int) -> tuple[Column, ...]:
    """Those that fit; the kind of device stands beside the strategy where there are several."""
    all_ = (_STRATEGY, *([_DEVICE] if len(kinds(rows)) > 1 else []), *_REST)
    chosen = []
    for column in all_:
        cells = [column.cell(row) for row in rows]
        if column.optional and all(cell == show.UNKNOWN for cell in cells):
            continue
        room -= _width(column, cells) + _PADDING
        if room < 0:
            break
        chosen.append(column)
    return tuple(chosen)


def widths(cells: Sequence[Sequence[str]], chosen: Sequence[Column]) -> list[int]:
    """How wide each column is with these rows of cells."""
    return [_width(column, [row[place] for row in cells]) for place, column in enumerate(chosen)]


def _width(column: Column, cells: Sequence[str]) -> int:
    return max([column.least, len(column.title), *map(len, cells)])
