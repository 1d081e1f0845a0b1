"""What ``export`` and ``compare`` share: which table, in which format, and where to."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.report.comparison import Comparison, Source

FORMATS = ("csv", "md", "json", "html")


def add_table(parser: argparse.ArgumentParser, default: str) -> None:
    """Flags of the table. ``default``: what is written without a format."""
    output = parser.add_argument_group("output")
    output.add_argument(
        "--format", choices=FORMATS, help=f"default: by the ending of FILE, else {default}"
    )
    output.add_argument("--output", metavar="FILE", help="where to; - or nothing: standard output")
    output.add_argument("--force", action="store_true", help="write over files that exist")
    table = parser.add_argument_group("table")
    table.add_argument(
        "--view",
        choices=("equal", "best"),
        help="strategies at an equal global batch, or each at its best batch "
        "(default: equal; printed and in CSV all there are)",
    )
    table.add_argument(
        "--baseline",
        metavar="NAME",
        help="the strategy that others are compared with, of several experiments as "
        "EXPERIMENT/NAME (default: single, else the first)",
    )
    table.add_argument(
        "--target-accuracy",
        metavar="X",
        type=partial(_setting, "target_accuracy"),
        help="validation accuracy (0 to 1) that time to accuracy is measured to "
        "(default: that of the experiment, else the highest that every strategy reached)",
    )
    table.add_argument(
        "--price",
        metavar="X",
        type=partial(_setting, "price"),
        help="of a GPU hour, for the cost (default: that of the experiment)",
    )


def _setting(name: str, text: str) -> Any:
    from engine.plan.values import parse

    return parse(name, text)


def destination(arguments: argparse.Namespace) -> Path | None:
    """The file to write; ``None`` is standard output. Refuses one that exists without --force."""
    if arguments.output in (None, "-"):
        return None
    from engine.errors import WrongInput

    if not arguments.output:
        raise WrongInput("--output is empty; name a file, or leave it out")
    path = Path(arguments.output).absolute()
    keep(arguments, [path])
    return path


def keep(arguments: argparse.Namespace, paths: Sequence[Path]) -> None:
    """Raises ``WrongInput`` where files exist and may not be written over; devices may."""
    from engine.errors import WrongInput
    from engine.plan.text import clean

    there = [path for path in paths if path.is_file()]
    if there and not arguments.force:
        more = f", and {len(there) - 1} more" if there[1:] else ""
        raise WrongInput(f"{clean(str(there[0]))} exists{more}; --force writes over it")


def format_of(arguments: argparse.Namespace, path: Path | None) -> str:
    """What is asked for, else what the ending says; raises ``WrongInput``."""
    if arguments.format is not None:
        return str(arguments.format)
    if path is None:
        return "csv"
    from engine.report import export

    return export.format_of(path)


def comparisons(arguments: argparse.Namespace, sources: Sequence[Source]) -> tuple[Comparison, ...]:
    """The views that are asked for, or all of them; raises ``WrongInput``."""
    from engine.errors import WrongInput
    from engine.report.comparison import Choices
    from engine.report.every_view import every_view

    choices = Choices(target=arguments.target_accuracy, price=arguments.price)
    found = every_view(sources, choices)
    if arguments.baseline is not None:
        keys = {_baseline(each, arguments.baseline) for each in found} - {None}
        if not keys:
            names = dict.fromkeys(row.figures.name for row in found[0].rows)
            raise WrongInput(
                f"no row is called {arguments.baseline!r}; --baseline can be {', '.join(names)}"
            )
        found = every_view(
            sources,
            Choices(baseline=keys.pop(), target=arguments.target_accuracy, price=arguments.price),
        )
    if arguments.view is None:
        return found
    chosen = tuple(each for each in found if each.view == arguments.view)
    if not chosen:
        raise WrongInput(
            f"there is no run for --view {arguments.view}; train with --find-batch to have each "
            "strategy at its best batch as well"
        )
    return chosen


def _baseline(comparison: Comparison, name: str) -> str | None:
    """The key of the row that is meant: by its key or its strategy."""
    for row in comparison.rows:
        if name in (row.key, row.figures.name):
            return row.key
    return None


def write(
    found: Sequence[Comparison], sources: Sequence[Source], format: str, path: Path | None
) -> None:
    """The table to a file, whose full path is told, or to standard output and nothing else."""
    from engine.plan.text import clean
    from engine.report import export
    from engine.report.every_view import stacked
    from engine.report.exports.courses import courses

    table = stacked(found) if format == "csv" else found[0]
    if len(found) > 1 and format != "csv":
        print("resnet-tui: --view best has each strategy at its best batch", file=sys.stderr)
    known = courses(sources) if format != "csv" else {}
    if path is not None:
        print(f"table: {clean(str(export.write(table, path, format, known)))}")
        return
    # As it is: Python would make two characters of a line's end on some systems.
    sys.stdout.flush()
    text = export.FORMATS[format](table, known)
    sys.stdout.buffer.write(text.encode("utf-8", errors="replace"))
    sys.stdout.buffer.flush()
