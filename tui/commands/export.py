"""``resnet-tui export``: the table, plots, event files, weights and results by class so far."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tui.commands import arguments as shared
from tui.commands import checkpoints, classes, tables, weights

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.experiment import Experiment
    from engine.report.comparison import Comparison, Source


def add_arguments(parser: argparse.ArgumentParser) -> None:
    shared.add_experiment(parser)
    tables.add_table(parser, "csv")
    more = parser.add_argument_group("more than the table")
    more.add_argument(
        "--plots", metavar="DIR", help="write curves and bars as SVG and PNG (extra: plots)"
    )
    more.add_argument("--tensorboard", metavar="DIR", help="write event files (extra: tensorboard)")
    more.add_argument(
        "--metrics", action="store_true", help="write metrics.npz into each run's directory"
    )
    classes.add_files(more)
    more.add_argument(
        "--weights",
        metavar="FILE",
        help="write a trained network: .pt (a state_dict), .safetensors or .onnx (extras: "
        "safetensors, onnx)",
    )
    checkpoints.add_choice(parser)


def run(arguments: argparse.Namespace) -> int:
    from engine.plan.text import clean
    from engine.report.sources import read

    weights.check(arguments)
    more = arguments.plots is not None or arguments.tensorboard is not None or arguments.metrics
    more = more or classes.wanted(arguments)
    asked = arguments.format is not None or arguments.output is not None
    if arguments.weights is not None:
        weights.export(arguments, sys.stderr if asked and arguments.output is None else sys.stdout)
        if not more and not asked:
            return 0
    wants_table = not more or asked
    path = tables.destination(arguments)
    kind = tables.format_of(arguments, path)
    experiment = shared.experiment(arguments)
    source = read(experiment)
    found = tables.comparisons(arguments, [source])
    # Where the table is all of standard output, what was written is told beside it.
    told = sys.stderr if wants_table and path is None else sys.stdout
    written: list[str] = []
    if arguments.plots is not None:
        written += _plots(arguments, found[0], source)
    if arguments.tensorboard is not None or arguments.metrics:
        written += _arrays(arguments, experiment, source)
    if classes.wanted(arguments):
        written += classes.export(arguments, source)
    for line in written:
        print(clean(line), file=told, flush=True)
    if wants_table:
        tables.write(found, [source], kind, path)
    return 0


def _plots(arguments: argparse.Namespace, found: Comparison, source: Source) -> list[str]:
    from engine.report.exports import plots
    from engine.report.exports.courses import courses

    known = courses([source])
    directory = _directory("--plots", arguments.plots)
    tables.keep(arguments, [directory / name for name in plots.files(found, known)])
    drawn = plots.draw(found, known, directory)
    return [f"plot: {path}" for path in drawn] or ["nothing has been measured that could be drawn"]


def _arrays(arguments: argparse.Namespace, experiment: Experiment, source: Source) -> list[str]:
    """Event files and ``metrics.npz`` of every run that has begun."""
    from engine.journal import layout
    from engine.report import metrics
    from engine.report.exports import tensorboard

    # A run whose processes are only just starting has been begun, but has no journal yet.
    told = {journal.run for journal in layout.rank_journals(experiment.directory)}
    begun = [run.run for run in source.view.runs if run.run in told]
    board = None
    if arguments.tensorboard is not None:
        board = _directory("--tensorboard", arguments.tensorboard)
        files: Sequence[Path] = [
            tensorboard.event_file(board, experiment.name, run) for run in begun
        ]
        tables.keep(arguments, files)
    written = []
    for run in begun:
        if board is not None:
            path = tensorboard.event_file(board, experiment.name, run)
            arrays = metrics.collect(experiment.directory, run)
            written.append(f"events: {tensorboard.write_events(arrays, path)}")
        if arguments.metrics:
            written.append(f"metrics: {metrics.write_metrics(experiment.directory, run)}")
    return written or ["no run has begun yet"]


def _directory(flag: str, text: str) -> Path:
    if not text:
        from engine.errors import WrongInput

        raise WrongInput(f"{flag} is empty; name a directory")
    return Path(text).absolute()
