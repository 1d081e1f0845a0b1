"""``resnet-tui train DATASET``: an experiment without the dashboard."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from tui.commands import arguments as shared

if TYPE_CHECKING:
    from engine.experiment import Experiment
    from engine.plan.config import Settings
    from engine.plan.machine import Machine
    from engine.plan.strategies import Strategy


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("dataset", metavar="DATASET", help="a folder of images")
    shared.add_training(parser)
    shared.add_experiments_directory(parser)
    output = parser.add_argument_group("output")
    output.add_argument(
        "--csv", metavar="FILE", help="write the table at the end to FILE, over what is there"
    )
    output.add_argument(
        "--json", action="store_true", help="stream events as JSON lines, and nothing else"
    )
    output.add_argument(
        "--detach", action="store_true", help="start, and leave it running in the background"
    )


def run(arguments: argparse.Namespace) -> int:
    return train(arguments, csv=arguments.csv, json=arguments.json, detach=arguments.detach)


def train(
    arguments: argparse.Namespace,
    *,
    csv: str | None = None,
    json: bool = False,
    detach: bool = False,
) -> int:
    """Starts an experiment, follows it to its end, prints its table; returns the exit code."""
    # Imported before anything is started: what breaks here leaves nothing running.
    from tui.commands import follow
    from tui.commands.interrupts import Interrupts
    from tui.commands.words import farewell

    target = _writable(csv)
    begin = _prepared(arguments)
    # From here on an interrupt is a request to the experiment, which may run already.
    with Interrupts() as interrupts:
        experiment = begin()
        if detach and not interrupts.count:
            print(farewell(experiment))
            return 0
        try:
            if json:
                return follow.stream(experiment, interrupts, csv=target)
            return follow.follow(experiment, interrupts, own=True, csv=target)
        except BrokenPipeError:
            told = f"resnet-tui: nobody reads the output any more\n{farewell(experiment)}"
            print(told, file=sys.stderr)
            raise


def _prepared(arguments: argparse.Namespace) -> Callable[[], Experiment]:
    """Checks everything that can be wrong; what it returns starts the experiment."""
    from engine.experiment import create
    from engine.plan import dataset, defaults, learning_rate, options
    from engine.plan.runs import plan_runs
    from engine.plan.strategies import strategy
    from engine.plan.switches import check
    from engine.run import disk
    from engine.run.spawn import start_supervisor

    chosen = tuple(strategy(each) for each in shared.strategies(arguments.strategy) or ("single",))
    folder = shared.folder(arguments.dataset)
    resolved = defaults.resolve(folder, options.chosen(arguments))
    # Wrong folders are refused here, before there is an experiment of them.
    found = dataset.load(folder, resolved.settings.val_fraction, resolved.settings.seed)
    machine = _machine(chosen, resolved.settings)
    check(chosen, resolved.settings, machine, defaults.asked_for(resolved.sources))
    _tell_slow(chosen, resolved.settings, machine)
    directory = shared.directory(arguments)
    plans = plan_runs(folder, resolved.settings, chosen, machine)
    disk.check(directory, plans, len(found.classes), images=len(found.train))
    told = learning_rate.sentence(resolved.settings, len(found.train))
    print(f"resnet-tui: {told}", file=sys.stderr, flush=True)

    def begin() -> Experiment:
        experiment = create(
            directory,
            folder,
            resolved.settings,
            strategies=chosen,
            sources=resolved.sources,
            machine=machine,
        )
        start_supervisor(experiment)
        return experiment

    return begin


def _machine(chosen: tuple[Strategy, ...], settings: Settings) -> Machine:
    from tui.commands.waiting import while_waiting
    from tui.machine import machine_for

    with while_waiting("asking torch what it can use"):
        return machine_for(chosen, settings)


def _tell_slow(chosen: tuple[Strategy, ...], settings: Settings, machine: Machine) -> None:
    """Names the strategies whose times will say nothing about them, before they are trained."""
    from engine.plan.switches import availability

    for each in chosen:
        can = availability(each, machine, settings)
        if can.status == "functional only":
            told = f"resnet-tui: {each.name} is functional only: {can.reason}"
            print(told, file=sys.stderr, flush=True)


def _writable(csv: str | None) -> Path | None:
    """The file for the table; refused before an hour of training, not after it."""
    if csv is None:
        return None
    from engine.errors import WrongInput
    from engine.plan.text import clean

    path = Path(csv).absolute()
    try:
        before = path.exists()
        with path.open("ab"):  # What stands in it is kept until there is a table.
            pass
        if not before:
            path.unlink()
    except OSError as error:
        raise WrongInput(
            f"the table cannot be written to {clean(str(path))}: {error.strerror}; "
            "give --csv a file in a folder that you may write to"
        ) from error
    return path
