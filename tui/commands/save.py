"""``resnet-tui save``: has a checkpoint saved of the run that trains, now."""

from __future__ import annotations

import argparse

from tui.commands import arguments as shared


def add_arguments(parser: argparse.ArgumentParser) -> None:
    shared.add_experiment(parser)


def run(arguments: argparse.Namespace) -> int:
    from engine.run import control

    experiment = shared.experiment(arguments)
    control.save(experiment)
    print(f"{experiment.title}: a checkpoint is saved after the step at hand")
    return 0
