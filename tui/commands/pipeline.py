"""``resnet-tui doctor --pipeline``: pipeline schedules drawn as text, before any training."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from typing import TYPE_CHECKING, get_args

from engine.errors import WrongInput
from engine.plan.text import clean
from tui.widgets.timetable import IDLE, timetable

if TYPE_CHECKING:
    from rich.text import Text

    from engine.plan.schedule import Schedule

_STAGES = (1, 64)
_MICRO_BATCHES = (1, 1024)
_PER_STAGE = 4
"""Micro-batches for each stage, as training takes them where none are given."""

_COLOURS = {"F": "blue", "B": "yellow", "idle": "dim", "cut": "dim"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags; ``doctor`` adds them to its own."""
    from engine.plan.schedule import Kind

    group = parser.add_argument_group("pipeline schedules")
    group.add_argument(
        "--pipeline",
        action="store_true",
        help="draw how micro-batches pass the stages of a pipeline, and nothing else",
    )
    group.add_argument(
        "--stages",
        type=partial(_whole, "--stages"),
        metavar="N",
        help=f"stages ({_bounds(_STAGES)}, default 2)",
    )
    group.add_argument(
        "--micro-batches",
        type=partial(_whole, "--micro-batches"),
        metavar="N",
        help=f"micro-batches ({_bounds(_MICRO_BATCHES)}, default 4 per stage)",
    )
    group.add_argument(
        "--schedule",
        type=_kind,
        metavar="|".join(get_args(Kind)),
        help="which one (default both)",
    )


def _bounds(bounds: tuple[int, int]) -> str:
    return f"{bounds[0]} to {bounds[1]}"


def _whole(flag: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise WrongInput(f"{flag} is {clean(text[:60])!r}; give a whole number") from None


def _kind(text: str) -> str:
    from engine.plan.schedule import Kind

    if text not in get_args(Kind):
        raise WrongInput(
            f"--schedule is {clean(text[:60])!r}; choose one of {', '.join(get_args(Kind))}"
        )
    return text


def wanted(arguments: argparse.Namespace) -> bool:
    """Whether schedules are to be drawn; raises where a flag of theirs is given without."""
    for name in ("stages", "micro_batches", "schedule"):
        if getattr(arguments, name) is not None and not arguments.pipeline:
            flag = "--" + name.replace("_", "-")
            raise WrongInput(f"{flag} goes with --pipeline; add it")
    return bool(arguments.pipeline)


def run(arguments: argparse.Namespace) -> int:
    from rich.text import Text

    from engine.plan.schedule import Kind, schedule
    from tui.commands.table import console, emit

    stages = _within("--stages", arguments.stages, _STAGES, 2)
    pieces = _PER_STAGE * stages
    pieces = _within("--micro-batches", arguments.micro_batches, _MICRO_BATCHES, pieces)
    kinds: tuple[Kind, ...] = get_args(Kind)
    if arguments.schedule:
        kinds = (arguments.schedule,)
    drawn = [_drawn(schedule(kind, stages, pieces), console().width) for kind in kinds]
    emit(Text("\n\n").join(drawn))
    emit(f"\nF0 forward, B0 backward of micro-batch 0, {_said(IDLE)} idle")
    emit("Each takes one cycle here; really a backward takes longer than a forward.")
    if "gpipe" in kinds:
        emit("gpipe as torchgpipe does it; strategy 'pipeline' goes back from micro-batch 0.")
    return 0


def _within(flag: str, value: int | None, bounds: tuple[int, int], default: int) -> int:
    low, high = bounds
    if value is not None and not low <= value <= high:
        raise WrongInput(f"{flag} is {value}; it may be {_bounds(bounds)}")
    return default if value is None else value


def _drawn(made: Schedule, width: int) -> Text:
    """A heading, a row for each stage, and what follows from them."""
    from rich.text import Text

    from engine.plan.schedule import bubble
    from tui.widgets import format as show

    stages, pieces = made.stages, made.micro_batches
    label = len(f"stage {stages - 1}  ")
    drawn = timetable(made, width - label, styled=False)
    left_out = f", {drawn.left_out} in the middle left out" if drawn.left_out else ""
    text = Text()
    text.append(made.kind, "bold")
    text.append(
        f"  {_count(stages, 'stage')}, {_count(pieces, 'micro-batch', 'es')}, "
        f"{made.cycles} clock cycles{left_out}\n"
    )
    for number, row in enumerate(drawn.rows):
        text.append(f"stage {number}".ljust(label))
        for piece, look in row:
            text.append(_said(piece), _COLOURS[look])
        text.append("\n")
    share = show.percent(bubble(stages, pieces))
    part = f"(n-1)/(m+n-1) = {stages - 1}/{pieces + stages - 1}"
    text.append(f"bubble in theory  {share}, {part}\nheld in memory    {_held(made)}")
    return text


def _held(made: Schedule) -> str:
    """The activations that each stage keeps, at most."""
    held = made.held
    if len(set(held)) == 1:
        return f"activations of {_count(held[0], 'micro-batch', 'es')} on every stage"
    return f"activations of {held[0]} micro-batches on stage 0, {held[-1]} on the last"


def _count(number: int, noun: str, plural: str = "s") -> str:
    return f"{number} {noun}" + (plural if number != 1 else "")


def _said(text: str) -> str:
    """``text`` as standard output can hold it."""
    from tui.plain import plain

    return text if (sys.stdout.encoding or "").upper() == "UTF-8" else plain(text)
