"""A pipeline's schedule as rows of characters, as wide as there is room. Pure.

A cell is ``F3`` or ``B3``: the forward or backward of a micro-batch; an idle one is a dot. Where
that is too wide and styles can be told apart, a cell is the number alone. What still does not fit
is left out in the middle, where a schedule repeats itself, and counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from engine.plan.schedule import Op, Schedule

Look = Literal["F", "B", "idle", "cut"]

IDLE = "·"
CUT = "…"


@dataclass(frozen=True, slots=True)
class Timetable:
    """Rows of pieces of text, each with what it is; all rows are equally wide."""

    rows: tuple[tuple[tuple[str, Look], ...], ...]
    letters: bool
    """Whether cells say F or B; else their style must."""
    left_out: int
    """Cycles that are not shown."""


def width_of(made: Schedule, letters: bool = True) -> int:
    """Cells across that the whole of it takes."""
    return made.cycles * _step(made, letters) - _gap(made, letters)


def timetable(made: Schedule, width: int, *, styled: bool) -> Timetable:
    """``made`` in ``width`` cells; ``styled`` where forward and backward can look different."""
    letters = not styled or width_of(made) <= width
    step = _step(made, letters)
    shown = max(2, (width + _gap(made, letters)) // step)
    if made.cycles <= shown:
        return Timetable(tuple(_row(row, step, letters) for row in made.grid), letters, 0)
    shown -= 1  # The mark of what is left out takes a cell.
    head, tail = shown - shown // 2, shown // 2
    mark: tuple[tuple[str, Look], ...] = ((CUT.ljust(step), "cut"),)
    return Timetable(
        tuple(
            (
                *_row(row[:head], step, letters),
                *mark,
                *_row(row[len(row) - tail :], step, letters),
            )
            for row in made.grid
        ),
        letters,
        made.cycles - head - tail,
    )


def _digits(made: Schedule) -> int:
    return len(str(made.micro_batches - 1))


def _step(made: Schedule, letters: bool) -> int:
    """Cells from one cycle to the next."""
    return letters + _digits(made) + _gap(made, letters)


def _gap(made: Schedule, letters: bool) -> int:
    """Cells between two cycles: numbers of one digit alone need none."""
    return int(letters or _digits(made) > 1)


def _row(ops: Sequence[Op | None], step: int, letters: bool) -> tuple[tuple[str, Look], ...]:
    pieces: list[tuple[str, Look]] = []
    for op in ops:
        if op is None:
            pieces.append((IDLE.ljust(step), "idle"))
            continue
        text = f"{op.direction if letters else ''}{op.micro_batch}"
        pieces.append((text, op.direction))
        if len(text) < step:
            pieces.append((" " * (step - len(text)), "idle"))
    return tuple(pieces)
