"""Tables on standard output, and why a run failed."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.table import Table
from rich.text import Text

from engine.journal.views import ExperimentView
from engine.plan.text import clean

GAP = 2
"""Spaces between two columns."""
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


def say(line: str) -> None:
    """Prints a sentence: on a terminal its lines end between words, in a file it is one line."""
    if sys.stdout.isatty():
        emit(Text(line))
    else:
        print(line, flush=True)


def plain_table() -> Table:
    """A table without lines around it, which a file and a narrow terminal hold as well."""
    return Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="bold")


def failures(view: ExperimentView) -> list[str]:
    """Why each failed run failed, with the last lines of its own traceback."""
    told = []
    several = any(run.repeat for run in view.runs)
    for run in view.runs:
        if run.state == "failed":
            which = f"{run.strategy}, repeat {run.repeat + 1}" if several else run.strategy
            told.append(f"{which} failed: {clean(run.reason) or 'for no known reason'}")
            told.extend(f"    {clean(line)}" for line in run.detail.splitlines())
    return told
