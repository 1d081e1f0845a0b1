"""Going on with runs that did not end well, from their newest checkpoints."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from engine.errors import ExperimentError
from engine.experiment import Experiment, open_directory, replan
from engine.journal import commands, layout
from engine.journal.lock import Lock
from engine.plan.config import Settings
from engine.plan.resuming import still_given
from engine.plan.runs import RunPlan
from engine.run import adding, past, saved
from engine.run.control import RUNNING, unfinished, was_obeyed
from engine.run.heard import must_be_gone
from engine.run.lifting import lifted
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
    given: Mapping[str, str] = field(default_factory=dict)
    """What it was given when it went on before, which stands: see ``resuming.still_given``."""

    @property
    def step(self) -> int:
        return self.found.step if self.found is not None else 0


def resumable(
    experiment: Experiment,
    runs: Collection[str] = (),
    given: Mapping[str, Any] = MappingProxyType({}),
) -> tuple[Resumable, ...]:
    """Those of ``runs``, or of all without any, that are neither done nor under way; of those that
    are done also what a limit ended which ``given``, the settings to go on with, lifts.

    Reads their newest checkpoints through: some seconds for large ones. Raises ``ExperimentError``
    where there are none, or no such runs, or where they may run on another machine.
    """
    must_be_gone(experiment)
    try:
        names = unfinished(experiment, runs, lifted(experiment, runs, given))
    except ExperimentError as error:
        cut = lifted(experiment, runs, {"max_steps": None, "max_time": None})
        if not cut:
            raise
        more = "a higher --max-steps or --max-time, or none, goes on with it"
        raise ExperimentError(f"{error}; a limit ended {', '.join(cut)}: {more}") from None
    plan = open_directory(experiment.directory).plan
    plans = {each.run: each for each in plan.runs}
    return tuple(
        _resumable(plans[name], experiment.directory, plan.settings, given) for name in names
    )


def _resumable(
    plan: RunPlan, directory: Path, settings: Settings, given: Mapping[str, Any]
) -> Resumable:
    run = directory / plan.run
    found = saved.to_go_on_from(run)
    there = [] if found is not None else [*(run / layout.CHECKPOINTS).glob("*.pt")]
    return Resumable(
        plan,
        found,
        _steps(directory, plan.run, given),
        lost=len(there),
        given=still_given(plan, settings),
    )


def _steps(directory: Path, run: str, given: Mapping[str, Any]) -> int | None:
    """All that a run will have, by a limit that is given now or the one that it had."""
    if "max_steps" not in given:
        return past.total_steps(directory, run)
    steps = past.steps(directory, run)
    return steps if steps is None else min(steps, given["max_steps"] or steps)


def resume(
    experiment: Experiment, runs: Collection[str] = (), plans: Sequence[RunPlan] = ()
) -> tuple[str, ...]:
    """Queues ``runs`` again (all that are not done, without any) to go on where they were; returns
    their names.

    ``plans``: other plans for some of them, by their names; with one whose limits allow it a run
    that is done goes on as well. Where a supervisor lives, it is asked;
    else one is started. Raises ``ExperimentError`` where there is nothing to go on with, and while
    another machine may run it.
    """
    names = unfinished(experiment, runs, [each.run for each in plans])
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
