"""Predictions as a table, as JSON and as CSV."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from rich.text import Text

from engine.errors import WrongInput
from engine.journal.predictions import BEST, Guess, Judge
from engine.plan.text import clean
from engine.report.exports.csv import cell, encoded
from tui.commands.table import emit, plain_table
from tui.widgets import format as show


class Line(NamedTuple):
    """What is told of one image."""

    image: str
    """Its path as the file system has it."""
    truth: str | None
    """The class that its folder is called as; ``None`` where that is none."""
    guesses: tuple[Guess, ...]
    """The best first; empty where the image cannot be read."""
    problem: str


def show_table(lines: Sequence[Line], judge: Judge) -> None:
    """A row per image: what its folder says, and the best guesses beside each other."""
    table = plain_table()
    table.add_column("image", overflow="fold", ratio=1 if len(lines) > 1 else None)
    several = any(line.truth is not None for line in lines)
    if several:
        table.add_column("folder", overflow="fold")
    for place in range(min(BEST, judge.classes)):
        table.add_column("best guess" if place == 0 else f"{place + 1}", overflow="fold")
    for line in lines:
        row = [clean(line.image)]
        if several:
            row.append(_truth(line))
        row += [f"{each.name} {show.percent(each.probability)}" for each in line.guesses]
        if line.problem:
            row.append(f"unreadable: {line.problem}")
        table.add_row(*map(Text, row))
    emit(table)


def unknown(judge: Judge) -> str:
    """What the file of weights does not tell, and what is done about it; empty where it tells."""
    told = []
    if not judge.names:
        told.append("the file names no classes: they are shown by their numbers")
    if not judge.size_is_known:
        told.append(
            "the file does not say which size of images its network was trained with: "
            f"{judge.image_size} px are taken, --image-size N says another"
        )
    return "; ".join(told)


def summary(lines: Sequence[Line], judge: Judge) -> str:
    """How many are what their folders say; empty where no folder says anything.

    Among five classes or fewer the right one is always in the top five, which then says nothing.
    """
    known = [line for line in lines if line.truth is not None and line.guesses]
    unread = sum(not line.guesses for line in lines)
    told = []
    if known:
        right = sum(line.guesses[0].name == line.truth for line in known)
        said = (
            f"{len(known):,} of known class: top-1 {right:,} ({show.percent(right / len(known))})"
        )
        if judge.classes > BEST:
            among = sum(any(each.name == line.truth for each in line.guesses) for line in known)
            said += f", top-5 {among:,} ({show.percent(among / len(known))})"
        told.append(said)
    if unread:
        told.append(f"{unread:,} of {len(lines):,} cannot be read")
    return "; ".join(told)


def to_json(line: Line) -> str:
    """One line of ASCII: names that are no UTF-8 are escaped, as Python writes them."""
    told: dict[str, Any] = {
        "image": line.image,
        "folder_class": line.truth,
        "predictions": [
            {"class": each.name, "index": each.index, "probability": each.probability}
            for each in line.guesses
        ],
    }
    if line.problem:
        told["problem"] = line.problem
    return json.dumps(told)


def write_csv(lines: Sequence[Line], judge: Judge, path: Path | None) -> None:
    """A row per image; ``None`` is standard output."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    places = range(1, min(BEST, judge.classes) + 1)
    columns = [name for place in places for name in (f"class_{place}", f"probability_{place}")]
    writer.writerow(["image", "folder_class", "problem", *columns])
    for line in lines:
        guesses: list[str | float | None] = [
            value for each in line.guesses for value in (each.name, each.probability)
        ]
        guesses += [None] * (len(columns) - len(guesses))
        row = (line.image, line.truth, line.problem or None, *guesses)
        writer.writerow([cell(value) for value in row])
    data = encoded(text.getvalue())
    if path is None:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    try:
        path.write_bytes(data)
    except OSError as error:
        raise WrongInput(f"{clean(str(path))} cannot be written: {error.strerror}") from error
    print(f"table: {clean(str(path))}", flush=True)


def writable(name: str | None) -> Path | None:
    """The file for the table, refused before anything is judged; ``None``: no file."""
    if name in (None, "-"):
        return None
    if not name:
        raise WrongInput("--csv is empty; name a file, or - for standard output")
    path = Path(name).absolute()
    if path.is_dir() or not path.parent.is_dir():
        raise WrongInput(
            f"the table cannot be written to {clean(str(path))}; give --csv a file in a folder "
            "that exists"
        )
    return path


def _truth(line: Line) -> str:
    return show.UNKNOWN if line.truth is None else line.truth
