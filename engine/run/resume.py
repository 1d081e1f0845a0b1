"""Going on with runs that did not end well, from their newest checkpoints."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.errors import ExperimentError
from engine.experiment import Experiment, open_directory, replan
from engine.journal import commands, layout
from engine.journal.lock import Lock
from engine.plan.runs import RunPlan
from engine.run import adding, past, saved
from engine.run.control import RUNNING, unfinished, was_obeyed
from engine.run.heard import must_be_gone
from engine.run.saved import Found
from engine.run.spawn import start_supervisor


@dataclass(frozen=True, slots=True)
class Resumable:
    """A run that is not done, and what it would go on from."""

    plan: RunPlan
    found: Found | None
    """``None``: it begins anew."""
    of: int | None = None
    """The steps of all of it, as its latest attempt told; ``None`` where none came so far."""
    lost: int = 0
    """Checkpoints that are there, where none of them can be gone on from."""

    @property
    def step(self) -> int:
        return self.found.step if self.found is not None else 0


def resumable(experiment: Experiment, runs: Collection[str] = ()) -> tuple[Resumable, ...]:
    """Those of ``runs``, or of all without any, that are neither done nor under way.

    Reads their newest checkpoints through: some seconds for large ones. Raises ``ExperimentError``
    where there are none, or no such runs, or where they may run on another machine.
    """
    must_be_gone(experiment)
    names = unfinished(experiment, runs)
    plans = {each.run: each for each in open_directory(experiment.directory).plan.runs}
    return tuple(
        _resumable(
            plans[name],
            experiment.directory / name,
            past.total_steps(experiment.directory, name),
        )
        for name in names
    )


def _resumable(plan: RunPlan, run: Path, of: int | None) -> Resumable:
    found = saved.to_go_on_from(run)
    there = [] if found is not None else [*(run / layout.CHECKPOINTS).glob("*.pt")]
    return Resumable(plan, found, of, lost=len(there))


def resume(
    experiment: Experiment, runs: Collection[str] = (), plans: Sequence[RunPlan] = ()
) -> tuple[str, ...]:
    """Queues ``runs`` again (all that are not done, without any) to go on where they were; returns
    their names.

    ``plans``: other plans for some of them, by their names. Where a supervisor lives, it is asked;
    else one is started. Raises ``ExperimentError`` where there is nothing to go on with, and while
    another machine may run it.
    """
    names = unfinished(experiment, runs)
    if experiment.state() in RUNNING:
        by = {each.run: adding.encoded([each]) for each in plans}
        sent = [
            commands.send(experiment.directory, "resume-run", name, plans=by.get(name, b"[]"))
            for name in names
        ]
        if was_obeyed(experiment, sent):
            return names
    must_be_gone(experiment)
    if plans:
        experiment = _replanned(experiment, plans)
    start_supervisor(experiment, names, resume=True)
    return names


def _replanned(experiment: Experiment, plans: Sequence[RunPlan]) -> Experiment:
    """The experiment with other plans, where nobody runs it."""
    if experiment.state() in RUNNING:
        raise ExperimentError(f"{experiment.title} was taken up by somebody else meanwhile")
    lock = Lock(experiment.directory / layout.LOCK)
    try:
        return replan(open_directory(experiment.directory), plans)
    finally:
        lock.release()
