"""``resnet-tui compare``: experiments on disk side by side, the first as the reference."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from tui.commands import arguments as shared
from tui.commands import tables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.report.comparison import Comparison, Source


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "experiments",
        nargs="+",
        metavar="EXPERIMENT",
        help="a name, the beginning of one, or a path; the first is the reference",
    )
    shared.add_experiments_directory(parser)
    tables.add_table(parser, "a table for the terminal")
    parser.add_argument(
        "--fail-if-slower",
        metavar="5%",
        help="exit with 3 where a strategy of a later experiment is slower than in the first by "
        "more than this (5%% or 0.05), and by more than noise where there are three repeats",
    )


def run(arguments: argparse.Namespace) -> int:
    from engine.errors import WrongInput
    from engine.lookup import find
    from engine.report.sources import read_all

    allowed = None
    if arguments.fail_if_slower is not None:
        allowed = share(arguments.fail_if_slower)
    path = tables.destination(arguments)
    as_file = path is not None or arguments.format is not None or arguments.output is not None
    kind = tables.format_of(arguments, path)
    experiments = [find(name, shared.directory(arguments)) for name in arguments.experiments]
    directories = [each.directory for each in experiments]
    for each in experiments:
        if directories.count(each.directory) > 1:
            raise WrongInput(f"{each.name} is named twice; name each experiment once")
    if allowed is not None and len(experiments) < 2:
        raise WrongInput("--fail-if-slower needs two experiments: the reference, and a later one")
    sources = read_all(experiments)
    if as_file:
        tables.write(tables.comparisons(arguments, sources), sources, kind, path)
    else:
        _show(arguments, sources)
    if allowed is None:
        return 0
    # What is held against what has nothing to do with the table's baseline.
    arguments.baseline = None
    found = tables.comparisons(arguments, sources)
    return _judged(found, sources[0].name, allowed, to_file=as_file)


def _show(arguments: argparse.Namespace, sources: Sequence[Source]) -> None:
    """The table and what is said of it, where letters stand for the long names of experiments."""
    from dataclasses import replace

    from tui.commands import results

    if len(sources) < 2:
        results.show(tables.comparisons(arguments, sources))
        return
    letters = results.lettered(sources)
    for letter, name in letters.items():
        if (arguments.baseline or "").startswith(f"{name}/"):
            arguments.baseline = letter + arguments.baseline.removeprefix(name)
    renamed = [replace(each, name=letter) for letter, each in zip(letters, sources, strict=True)]
    results.show(tables.comparisons(arguments, renamed), letters)


def _judged(found: tuple[Comparison, ...], first: str, allowed: float, *, to_file: bool) -> int:
    """Says which strategies are slower, and returns the exit code."""
    from engine.errors import EXIT_DONE, EXIT_SLOWER, WrongInput
    from engine.report.slower import judge

    slower = False
    compared = 0
    missing: list[str] = []
    for each in found:
        told = judge(each, first, allowed)
        compared += told.compared
        missing += told.missing
        slower = slower or bool(told.slower)
        for line in (*told.slower, *told.unsure, *told.unlike, *told.missing):
            print(f"resnet-tui: {line}", file=sys.stderr, flush=True)
    if not compared:
        raise WrongInput("no strategy has been trained to its end in both: nothing is compared")
    if slower:
        return EXIT_SLOWER
    if not to_file:
        print(f"nothing is slower by more than {allowed * 100:g} %")
    return EXIT_DONE


def share(text: str) -> float:
    """``5%`` or ``0.05`` as 0.05; raises ``WrongInput``."""
    from engine.errors import WrongInput
    from engine.plan.text import clean

    number, percent = text.strip().removesuffix("%").strip(), text.strip().endswith("%")
    try:
        value = float(number) / 100 if percent else float(number)
    except ValueError:
        value = -1.0
    if not 0.0 <= value < 1.0:
        raise WrongInput(f"--fail-if-slower is {clean(text)!r}; write it as 5% or 0.05")
    return value
