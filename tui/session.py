"""What the dashboard does to experiments: begin them, ask after them, request their end."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from engine.errors import ResnetTuiError
from engine.experiment import create, open_directory
from engine.journal.commands import send
from engine.plan.config import Settings
from engine.plan.runs import plan_added
from engine.plan.strategies import known_strategies, strategy
from engine.plan.text import clean
from engine.run.spawn import start_supervisor
from tui.adding import Addable, addable
from tui.machine import machine_for
from tui.requests import Request


def begin(
    parent: Path,
    dataset: Path,
    settings: Settings,
    sources: dict[str, str],
    strategies: tuple[str, ...],
) -> Path:
    """Creates an experiment and starts its supervisor; the directory, once that one works.

    Blocks for up to some seconds. Raises an error of ours with a sentence.
    """
    chosen = tuple(strategy(name) for name in strategies)
    experiment = create(
        parent,
        dataset,
        settings,
        strategies=chosen,
        sources=sources,
        machine=machine_for(chosen, settings),
    )
    start_supervisor(experiment)
    return experiment.directory


def still_training(directories: Iterable[Path]) -> list[Path]:
    """Those of the experiments in which something trains now."""
    found = []
    for directory in sorted(directories):
        try:
            if open_directory(directory).state() in ("starting", "running"):
                found.append(directory)
        except ResnetTuiError:
            # Deleted meanwhile: nothing trains there.
            continue
    return found


def stop_all(directories: Iterable[Path]) -> None:
    """Requests a gentle end: finish the step, save a checkpoint, close the journal."""
    for directory in directories:
        send(directory, "stop")


def farewell(directories: Iterable[Path]) -> str:
    """What to type to come back, for every experiment that is left running."""
    return "\n".join(
        f"{name} goes on without the dashboard.\n"
        f"  see it again   resnet-tui attach {name}\n"
        f"  stop it        resnet-tui stop {name}"
        for name in (clean(each.name) for each in directories)
    )


def not_there(directory: Path) -> tuple[Addable, ...]:
    """The strategies that an experiment lacks. Raises an error of ours."""
    return addable(open_directory(directory).plan, known_strategies(), None)


def can_be_added(directory: Path) -> tuple[Addable, ...]:
    """Which of them can run here. Blocks for seconds where torch must be asked."""
    from engine.run import host

    machine = host.probe()
    return addable(open_directory(directory).plan, known_strategies(), machine)


def ask(directory: Path, request: Request) -> None:
    """Leaves a request about the queue and waits for the answer. Raises an error of ours.

    A strategy that comes to an experiment that is over begins it again.
    """
    from engine.run import control, disk, host

    experiment = open_directory(directory)
    match request.action:
        case "move":
            control.answer(experiment, control.move(experiment, request.run, request.place))
        case "drop":
            control.answer(experiment, control.drop(experiment, request.run))
        case "add":
            chosen = (strategy(request.strategy),)
            plan = experiment.plan
            added = plan_added(plan, chosen, plan.settings, host.probe())
            disk.check(experiment.directory, added)
            control.add(experiment, added)
