"""What ``predict`` and ``export --weights`` share: which checkpoint is meant, and its words."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from tui.commands import arguments as shared

if TYPE_CHECKING:
    from engine.journal.exported import Exported
    from engine.journal.predictions import Judge
    from engine.run.chosen_checkpoint import Chosen


def add_choice(parser: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    group = parser.add_argument_group("which weights")
    group.add_argument(
        "--run",
        metavar="NAME",
        help="a run of the experiment, by its directory or its strategy "
        "(default: the best by validation accuracy)",
    )
    group.add_argument(
        "--checkpoint",
        choices=("best", "last"),
        help="the best by validation accuracy, or the last (default: the best there is)",
    )
    return group


def chosen(arguments: argparse.Namespace) -> Chosen:
    """A file that is named, else a checkpoint of the experiment; raises ``WrongInput``."""
    from engine.errors import WrongInput
    from engine.lookup import find
    from engine.run.chosen_checkpoint import Chosen, choose

    name = arguments.experiment
    if name and Path(name).is_file():
        if arguments.run is not None or arguments.checkpoint is not None:
            raise WrongInput("--run and --checkpoint choose in an experiment, and a file was named")
        return Chosen(Path(name).absolute())
    experiment = find(name, shared.directory(arguments))
    return choose(experiment, arguments.run, arguments.checkpoint)


def told(chosen: Chosen, known: Judge | Exported) -> str:
    """``best.pt of 01-single: resnet18, 2 classes, 64 px, epoch 4, 91.7 % right in validation``."""
    from tui.widgets import format as show

    facts = [known.model, f"{known.classes} classes", f"{known.image_size} px"]
    if known.epoch is not None:
        facts.append(f"epoch {known.epoch}")
    if known.accuracy is not None:
        facts.append(f"{show.percent(known.accuracy)} right in validation")
    if known.averaged:
        facts.append("averaged weights")
    return f"{chosen.title}: {', '.join(facts)}"
