"""Results by class without the dashboard: two files, and a few lines at the end of a training."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from tui.commands import tables

if TYPE_CHECKING:
    from engine.journal.views import ExperimentView
    from engine.report.classes import ClassReport
    from engine.report.comparison import Source
    from engine.report.exports.classes import Reported

_WORST = 5
_SMALL = 10
"""Classes whose matrix is printed whole."""
_NAME = 24


def add_files(parser: argparse._ArgumentGroup) -> None:
    parser.add_argument(
        "--classes",
        metavar="FILE",
        help="write a CSV with a row for each class of each run, at its best validation",
    )
    parser.add_argument(
        "--confusion",
        metavar="FILE",
        help="write a CSV with a row for each pair of classes that were taken for each other",
    )


def wanted(arguments: argparse.Namespace) -> bool:
    return arguments.classes is not None or arguments.confusion is not None


def export(arguments: argparse.Namespace, source: Source) -> list[str]:
    """Writes what is asked for; returns a line for each file. Raises ``WrongInput``."""
    from engine.errors import WrongInput
    from engine.report.export import write_bytes
    from engine.report.exports.classes import classes_csv, confusion_csv, reported
    from engine.report.exports.csv import encoded

    files: dict[str, tuple[Path, Callable[[Iterable[Reported]], str]]] = {}
    for name, make in (("classes", classes_csv), ("confusion", confusion_csv)):
        text = getattr(arguments, name)
        if text == "":
            raise WrongInput(f"--{name} is empty; name a file")
        if text is not None:
            files[name] = (Path(text).absolute(), make)
    paths = [path for path, _ in files.values()]
    if len(set(paths)) < len(paths):
        raise WrongInput("--classes and --confusion name one file; give each its own")
    tables.keep(arguments, paths)
    told = reported([source])
    remark = "" if told else " (no run has told of its classes yet)"
    return [
        f"{name}: {write_bytes(path, encoded(make(told)))}{remark}"
        for name, (path, make) in files.items()
    ]


def at_the_end(view: ExperimentView, width: int) -> list[str]:
    """What the most accurate run made of the classes, in a few lines; nothing before a validation.

    Of a few classes what was taken for what, of more those that are told worst.
    """
    from engine.plan.text import clean
    from engine.report.class_words import in_all, of_what, worst
    from engine.report.classes import of_run

    known = [(run, report) for run in view.runs if (report := of_run(run)) is not None]
    if not known:
        return []
    run, report = max(known, key=lambda each: each[1].top1)
    name = clean(run.strategy)
    if any(each.repeat for each in view.runs):
        name = f"{name}, repeat {run.repeat + 1}"
    whole = _matrix(report, width) if len(report.classes) <= _SMALL else []
    what = "rows by what they were taken for" if whole else "the worst first"
    lines = ["", f"classes of {name}, {of_what(report)}; {what}:"]
    lines += whole or [f"    {each}" for each in worst(report, _WORST)]
    return [*lines, in_all(report)]


def _matrix(report: ClassReport, width: int) -> list[str]:
    """Empty where it is wider than ``width``."""
    from rich.cells import cell_len, set_cell_size

    from engine.report.class_words import name
    from engine.report.matrix import grid

    names = [name(report, place) for place in range(len(report.classes))]
    digits, longest = len(str(len(names))), min(_NAME, max(map(cell_len, names)))
    first = 4 + digits + 2 + longest
    drawn = grid(report, width - first)
    if drawn is None:
        return []
    lines = [" " * first + drawn.head]
    for place, row in enumerate(drawn.rows):
        called = names[place]
        if cell_len(called) > longest:
            called = set_cell_size(called, longest - 1) + "…"
        called = set_cell_size(called, longest)
        number = f"{place + 1 if drawn.numbered else '':>{digits}}"
        lines.append(f"    {number}  {called}{''.join(cell.text for cell in row)}")
    return [_writable(line.rstrip()) for line in lines]


def _writable(line: str) -> str:
    """In ASCII where the output has no other letters."""
    try:
        line.encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        from tui.plain import plain

        return plain(line)
    return line
