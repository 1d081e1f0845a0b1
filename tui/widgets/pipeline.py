"""A pipeline's split and schedule: stages x clock cycles, with what each stage was measured at.

Pure: takes what is known, gives content to paint.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from textual.content import Content

from engine.journal.pipeline_view import PipelineView
from engine.plan.schedule import Schedule
from engine.plan.text import clean
from tui.widgets import format as show
from tui.widgets.line import heading
from tui.widgets.timetable import IDLE, Look, Timetable, timetable, width_of

_STYLES: dict[Look, str] = {
    "F": "$series-train",
    "B": "$series-validation",
    "idle": "$faint",
    "cut": "$quiet",
}
_NUMBER_ALONE: dict[Look, str] = {**_STYLES, "B": "$series-validation reverse"}

SHARED = "functional only: stages share one device and never overlap"

_LEAST = 22
"""Cells of the columns that are there in any case."""
AROUND = 4
"""Rows beside those of the stages: two heads, two remarks."""


@dataclass(frozen=True, slots=True)
class _Column:
    """What stands before the drawing, a cell per stage."""

    title: str
    cells: tuple[str, ...]
    left: bool = False

    @property
    def width(self) -> int:
        return max(len(each) for each in (self.title, *self.cells))


def pipeline(view: PipelineView, made: Schedule, width: int, height: int) -> Content:
    """Everything in ``height`` rows; stages that do not fit are counted."""
    rest = f"{view.schedule} · {view.stages} stages · {_micro_batches(view.micro_batches)}"
    lines = [heading("Pipeline", width, rest)]
    # Letters in the cells if there is room for them beside the least of columns.
    letters = width_of(made) + _LEAST <= width
    columns = _columns(view, width - width_of(made, letters))
    labels = [_label(columns, number) for number in range(-1, view.stages)]
    drawn = timetable(made, width - len(labels[0]), styled=True)
    lines.append(Content.assemble((labels[0], "$quiet"), (_cycles(made, drawn), "$faint")))
    room = max(1, height - AROUND - (not view.overlaps))
    shown = view.stages if view.stages <= room else room - 1
    styles = _STYLES if drawn.letters else _NUMBER_ALONE
    for label, row in zip(labels[1 : shown + 1], drawn.rows, strict=False):
        pieces = [(text, styles[look]) for text, look in row]
        lines.append(Content.assemble((label, "$foreground"), *pieces))
    if shown < view.stages:
        lines.append(Content.styled(f"+{view.stages - shown} more stages", "$quiet"))
    lines.append(_bubble(view, made))
    lines.append(_legend(drawn))
    if not view.overlaps:
        lines.append(Content.styled(SHARED, "$warning"))
    return Content("\n").join(lines)


def rows_of(view: PipelineView) -> int:
    """How many rows all of it takes."""
    return view.stages + AROUND + (not view.overlaps)


def _columns(view: PipelineView, room: int) -> list[_Column]:
    """Those that matter most, as many as leave the drawing its ``room``, in their order."""
    shares = view.measured[-1].shares if view.measured else (None,) * view.stages
    devices = tuple(clean(each) for each in view.devices)
    # By weight; the first three are there in any case.
    wanted = [
        _Column("stage", tuple(str(number) for number in range(view.stages))),
        _Column("layers", tuple(str(each) for each in view.balance)),
        _Column("busy", tuple(show.percent(each, 0) for each in shares)),
        _Column("profiled", tuple(show.seconds(each) for each in view.stage_seconds)),
        _Column("from … to", _names(view), left=True),
        _Column("memory", tuple(show.gib(each) for each in view.stage_bytes)),
        _Column("device", devices, left=True),
    ]
    chosen = []
    for place, column in enumerate(wanted):
        if len(column.cells) != view.stages:
            continue
        room -= column.width + 2
        if room >= 0 or place < 3:
            chosen.append(column)
    order = ("stage", "layers", "from … to", "profiled", "memory", "device", "busy")
    return sorted(chosen, key=lambda each: order.index(each.title))


def _names(view: PipelineView) -> tuple[str, ...]:
    """The first and the last layer of each stage."""
    if len(view.layers) != sum(view.balance):
        return ()
    parts = [view.layers[a:b] for a, b in pairwise(accumulate(view.balance, initial=0))]
    return tuple(clean(part[0] if len(part) == 1 else f"{part[0]} … {part[-1]}") for part in parts)


def _label(columns: Sequence[_Column], stage: int) -> str:
    """The cells of a stage, or with -1 the titles."""
    texts = []
    for column in columns:
        text = column.title if stage < 0 else column.cells[stage]
        texts.append(text.ljust(column.width) if column.left else text.rjust(column.width))
    return "  ".join(texts) + "  "


def _cycles(made: Schedule, drawn: Timetable) -> str:
    left_out = f", {drawn.left_out} in the middle left out" if drawn.left_out else ""
    return f"{made.cycles} clock cycles{left_out}"


def _bubble(view: PipelineView, made: Schedule) -> Content:
    held = made.held
    last = "" if len(set(held)) == 1 else f", last stage {held[-1]}"
    return Content.assemble(
        ("bubble ", "$quiet"),
        (show.percent(view.bubble, 0), "bold $foreground"),
        (" measured, ", "$quiet"),
        (show.percent(view.bubble_in_theory, 0), "bold $foreground"),
        (f" in theory · {_micro_batches(held[0])} in memory{last}", "$quiet"),
    )


def _legend(drawn: Timetable) -> Content:
    forward, backward = ("F0", "B0") if drawn.letters else ("0", "0")
    styles = _STYLES if drawn.letters else _NUMBER_ALONE
    return Content.assemble(
        (forward, styles["F"]),
        (" forward  ", "$quiet"),
        (backward, styles["B"]),
        (" backward of micro-batch 0  ", "$quiet"),
        (IDLE, "$faint"),
        (" idle", "$quiet"),
    )


def _micro_batches(count: int) -> str:
    return f"{count} micro-batch" + ("es" if count != 1 else "")
