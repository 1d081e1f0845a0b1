"""Arguments that several commands share."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.experiment import Experiment


def add_experiments_directory(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--experiments-dir",
        metavar="DIR",
        help="where experiments lie (default: $RESNET_TUI_EXPERIMENTS, else ./experiments)",
    )


def add_experiment(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "experiment",
        nargs="?",
        metavar="EXPERIMENT",
        help="its name, the beginning of its name, or its path "
        "(default: the newest that runs, else the newest)",
    )
    add_experiments_directory(parser)


def add_training(parser: argparse.ArgumentParser) -> None:
    """The strategies and every setting."""
    from engine.plan.options import add_flags
    from engine.plan.strategies import STRATEGIES

    names = ", ".join(each.name for each in STRATEGIES)
    parser.add_argument(
        "--strategy",
        action="append",
        metavar="NAME,NAME",
        help=f"strategies to train, one after another: {names}, or those of your own that "
        "'resnet-tui doctor' lists (default: single)",
    )
    add_flags(parser)


def folder(text: str) -> Path:
    """The dataset that is meant; an empty word (a variable that was never set) is none."""
    if not text:
        from engine.errors import WrongInput

        raise WrongInput("DATASET is empty; name a folder of images")
    return Path(text)


def directory(arguments: argparse.Namespace) -> Path:
    """Where new experiments go and which are found first."""
    from engine.lookup import experiments_directory

    return experiments_directory(arguments.experiments_dir)


def experiment(arguments: argparse.Namespace) -> Experiment:
    """The experiment that is meant; raises ``ExperimentError``."""
    from engine.lookup import find

    return find(arguments.experiment, directory(arguments))


def strategies(texts: Sequence[str] | None) -> tuple[str, ...]:
    """The names in ``single,amp``, each once, aliases resolved; empty when none was given.

    The flag may be given several times. Raises ``StrategyError``.
    """
    if texts is None:
        return ()
    from engine.errors import StrategyError
    from engine.plan.strategies import strategy

    names = [part.strip() for text in texts for part in text.split(",") if part.strip()]
    if not names:
        raise StrategyError("--strategy is empty; name one, as single,amp")
    return tuple(dict.fromkeys(strategy(name).name for name in names))
