"""``resnet-tui attach``: the dashboard on an experiment; without a terminal, its lines."""

from __future__ import annotations

import argparse

from tui.commands import arguments as shared


def add_arguments(parser: argparse.ArgumentParser) -> None:
    shared.add_experiment(parser)
    parser.add_argument("--mouse", action="store_true", help="use the mouse as well")


def run(arguments: argparse.Namespace) -> int:
    from tui.commands.dashboard import has_terminal

    experiment = shared.experiment(arguments)
    if not has_terminal():
        from tui.commands.follow import follow
        from tui.commands.interrupts import Interrupts

        with Interrupts() as interrupts:
            return follow(experiment, interrupts, own=False)
    from tui.start import Start, open_dashboard

    return open_dashboard(
        Start(
            experiment=experiment.directory,
            experiments_directory=shared.directory(arguments),
            mouse=arguments.mouse,
        )
    )
