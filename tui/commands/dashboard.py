"""``resnet-tui [DATASET]``: the dashboard; without a terminal, the same training headless."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from tui.commands import arguments as shared


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("dataset", nargs="?", metavar="DATASET", help="a folder of images")
    parser.add_argument("--mouse", action="store_true", help="use the mouse as well")
    shared.add_experiments_directory(parser)
    shared.add_training(parser)


def run(arguments: argparse.Namespace) -> int:
    if not has_terminal():
        return _headless(arguments)
    from engine.plan import options
    from tui.start import Start, open_dashboard

    return open_dashboard(
        Start(
            dataset=Path(arguments.dataset) if arguments.dataset else None,
            given=options.chosen(arguments),
            strategies=shared.strategies(arguments.strategy),
            experiments_directory=shared.directory(arguments),
            mouse=arguments.mouse,
        )
    )


def has_terminal() -> bool:
    """Whether a dashboard can be drawn and driven."""
    return sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def _headless(arguments: argparse.Namespace) -> int:
    from engine.errors import WrongInput
    from tui.commands import train

    if not arguments.dataset:
        raise WrongInput(
            "there is no terminal to draw the dashboard on; name a folder of images to train on, "
            "or see 'resnet-tui --help'"
        )
    return train.train(arguments)
