"""``resnet-tui retry``: queues again what failed, was stopped or was cut off, to begin anew."""

from __future__ import annotations

import argparse

from tui.commands import arguments as shared


def add_arguments(parser: argparse.ArgumentParser) -> None:
    shared.add_experiment(parser)
    parser.add_argument(
        "--run", metavar="RUN", dest="only", help="one run only, as 02-amp (default: all)"
    )


def run(arguments: argparse.Namespace) -> int:
    from engine.run import control

    experiment = shared.experiment(arguments)
    again = control.retry(experiment, arguments.only)
    print(f"{experiment.title}: queued again, from the beginning: {', '.join(again)}")
    print(f"  see it   resnet-tui attach {experiment.title}")
    return 0
