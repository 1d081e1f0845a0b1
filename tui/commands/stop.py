"""``resnet-tui stop``: ends an experiment gently; once more, or Ctrl+C while it waits, firmly."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from tui.commands import arguments as shared

if TYPE_CHECKING:
    from engine.experiment import Experiment
    from engine.summary import State

_FIRM_PATIENCE = 10.0
"""Seconds that a supervisor may take to obey a firm stop before it is killed itself."""
_GENTLE_PATIENCE = 150.0
"""Above what the supervisor gives its ranks to save a checkpoint."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    shared.add_experiment(parser)
    parser.add_argument(
        "--now", action="store_true", help="at once: what came after the last save is lost"
    )


def run(arguments: argparse.Namespace) -> int:
    from engine.errors import TrainingError
    from engine.run import control

    experiment = shared.experiment(arguments)
    firmly = arguments.now
    control.stop(experiment, firmly)
    if not firmly:
        print(
            f"stopping {experiment.title} after its step and a checkpoint; "
            "Ctrl+C, or the same command again, stops it at once",
            flush=True,
        )
    state = _wait(experiment, firmly)
    if state is None:
        raise TrainingError(
            f"{experiment.title} does not end; its supervisor's log is "
            f"{experiment.directory / 'supervisor.log'}"
        )
    print(f"{experiment.title} is {state}")
    if state == "stopped":
        print(f"  go on with it   resnet-tui resume {experiment.title}")
    return 0


def _wait(experiment: Experiment, firmly: bool) -> State | None:
    """Waits for the end; ``None`` where there is none."""
    from engine.run import control

    try:
        state = control.wait(experiment, _FIRM_PATIENCE if firmly else _GENTLE_PATIENCE)
    except KeyboardInterrupt:
        if firmly:
            raise
        control.stop(experiment, firmly=True)
        return _wait(experiment, firmly=True)
    if state is None and control.kill_supervisor(experiment):
        state = control.wait(experiment, _FIRM_PATIENCE)
    return state
