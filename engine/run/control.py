"""What the command line and the dashboard ask of a supervisor: stop it and wait for it, retry, and
change its queue."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Collection, Sequence

from engine.errors import (
    EXIT_DONE,
    EXIT_INTERRUPTED,
    EXIT_TRAINING_FAILED,
    EXIT_WRONG_INPUT,
    ExperimentError,
)
from engine.experiment import Experiment, extend, open_directory
from engine.journal import commands, layout
from engine.journal.events import Acknowledged
from engine.journal.files import boot_id
from engine.journal.lock import Lock, is_held
from engine.plan.runs import RunPlan
from engine.plan.text import clean
from engine.run import adding, past
from engine.run.heard import NO_WORD, must_be_gone
from engine.run.spawn import start_supervisor
from engine.summary import State

RUNNING: tuple[State, ...] = ("starting", "running")


def stop(experiment: Experiment, firmly: bool = False) -> None:
    """Asks for the end: gently (checkpoint, closing event) or ``firmly``, at once.

    Returns at once; see ``wait``. A second gentle request is firm. Raises ``ExperimentError``
    where nothing runs.
    """
    _must_run(experiment)
    commands.send(experiment.directory, "kill" if firmly else "stop")


def stop_run(experiment: Experiment, run: str) -> None:
    """Asks for the gentle end of one run, running or queued; the others go on."""
    _must_run(experiment)
    commands.send(experiment.directory, "stop-run", run)


def drop(experiment: Experiment, run: str) -> str:
    """Asks for a run that waits to be taken out of the queue, for good: see
    ``commands.TAKEN_OUT``. Returns the id of the request, for ``answer``."""
    _must_run(experiment)
    return commands.send(experiment.directory, "drop-run", run)


def move(experiment: Experiment, run: str, place: int) -> str:
    """Asks for another place, from 0, of a run among those that wait. Returns the id of the
    request, for ``answer``."""
    _must_run(experiment)
    return commands.send(experiment.directory, "move-run", run, place=place)


def answer(experiment: Experiment, sent: str) -> None:
    """Returns when a request was carried out; raises ``ExperimentError`` where it was not."""
    if not was_obeyed(experiment, [sent]):
        raise ExperimentError(f"{experiment.name} ended before it was asked")


def add(experiment: Experiment, plans: Sequence[RunPlan]) -> None:
    """Puts further runs into the queue (see ``plan_added``), and returns when they are there.

    Where a supervisor lives, it is asked; else one is started, which does nothing again. Raises
    ``ExperimentError`` where the runs cannot be added.
    """
    adding.named(open_directory(experiment.directory).plan, plans)
    if experiment.state() in RUNNING:
        sent = commands.send(experiment.directory, "add-runs", plans=adding.encoded(plans))
        if was_obeyed(experiment, [sent]):
            return
    elif experiment.state() == "silent":
        raise ExperimentError(
            f"{experiment.name} may still run on another machine; add to it from there"
        )
    start_supervisor(_extended(experiment, plans), again=())


def wait(experiment: Experiment, timeout: float | None = None) -> State | None:
    """Returns how the experiment ended when it has; ``None`` when ``timeout`` s were too short."""
    deadline = None if timeout is None else time.monotonic() + timeout
    while (state := ended(experiment)) is None:
        if deadline is not None and time.monotonic() >= deadline:
            return None
        time.sleep(0.1)
    return state


def ended(experiment: Experiment) -> State | None:
    """How an experiment ended; ``None`` while it runs, or is heard of from another machine."""
    state = experiment.state()
    if state in RUNNING:
        return None
    if state == "silent":
        summary = experiment.summary()
        if summary is not None and time.time() - summary.updated < NO_WORD:
            return None
    return state


def kill_supervisor(experiment: Experiment) -> bool:
    """The last resort where a firm stop was not obeyed: SIGKILL, which takes the ranks along.

    Whether it could be done: only on the supervisor's own host and boot, while it has the lock.
    """
    summary = experiment.summary()
    if summary is None or not is_held(experiment.directory / layout.LOCK):
        return False
    if summary.host != os.uname().nodename or summary.boot != boot_id():
        return False
    try:
        os.kill(summary.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def save(experiment: Experiment, run: str = "") -> None:
    """Has a checkpoint saved of the run that trains; raises ``ExperimentError`` where none does.

    Returns when the ranks are asked: they save after the step at hand.
    """
    _must_run(experiment)
    answer(experiment, commands.send(experiment.directory, "checkpoint", run))


def retry(experiment: Experiment, run: str | None = None) -> tuple[str, ...]:
    """Queues again what failed or was stopped, one ``run`` or all, to begin anew; returns their
    names.

    Where a supervisor lives, it is asked; else one is started. Raises ``ExperimentError`` where
    there is nothing to do again.
    """
    again = unfinished(experiment, () if run is None else (run,))
    if experiment.state() in RUNNING:
        sent = [commands.send(experiment.directory, "retry-run", each) for each in again]
        if was_obeyed(experiment, sent):
            return again
    must_be_gone(experiment)
    start_supervisor(experiment, again)
    return again


def exit_code(experiment: Experiment) -> int:
    """The exit code that an experiment's end stands for."""
    state = experiment.state()
    if state == "done":
        return EXIT_DONE
    if state == "stopped":
        return EXIT_INTERRUPTED
    failed = [end for end in past.ended(experiment.directory).values() if end.state == "failed"]
    if failed and all(end.exit_code == EXIT_WRONG_INPUT for end in failed):
        return EXIT_WRONG_INPUT
    return EXIT_TRAINING_FAILED


def _must_run(experiment: Experiment) -> None:
    state = experiment.state()
    if state not in (*RUNNING, "silent"):
        raise ExperimentError(f"{experiment.name} is not running but {state}")


def _extended(experiment: Experiment, plans: Sequence[RunPlan]) -> Experiment:
    """The experiment with further runs, where nobody runs it."""
    lock = Lock(experiment.directory / layout.LOCK)
    try:
        fresh = open_directory(experiment.directory)
        return extend(fresh, adding.named(fresh.plan, plans))
    finally:
        lock.release()


def unfinished(
    experiment: Experiment, runs: Collection[str], also: Collection[str] = ()
) -> tuple[str, ...]:
    """The names of those of ``runs``, or of all without any, that are neither done nor under way;
    of those in ``also`` even what is done.

    Raises ``ExperimentError`` where there are none, or no such runs.
    """
    # Runs may have been added since the caller opened it.
    names = [each.run for each in open_directory(experiment.directory).plan.runs]
    for run in runs:
        if run not in names:
            told = f"has no run {clean(run)!r}; it has {', '.join(names)}"
            raise ExperimentError(f"{experiment.name} {told}")
    ends = past.ended(experiment.directory)
    running = experiment.state() in RUNNING

    def is_meant(name: str) -> bool:
        if runs and name not in runs:
            return False
        if name not in ends:
            return not running
        if ends[name].state == "done":
            return name in also
        return bool(runs or not past.taken_out(ends[name]))

    again = tuple(name for name in names if is_meant(name))
    if not again:
        more = ", and it is running" if running else ""
        raise ExperimentError(f"nothing of {experiment.name} failed or was stopped{more}")
    return again


def was_obeyed(experiment: Experiment, sent: list[str]) -> bool:
    """Whether a supervisor did what it was asked; ``False`` where it ended instead.

    Raises ``ExperimentError`` with its reason where it refused.
    """
    refusals = _answers(experiment, sent)
    if refusals:
        raise ExperimentError(f"{experiment.name}: {refusals[0]}")
    return refusals is not None


def _answers(experiment: Experiment, sent: list[str]) -> list[str] | None:
    """The refusals among the answers to requests; ``None`` where the supervisor ended instead."""
    while is_held(experiment.directory / layout.LOCK) is not False:
        answers = {
            event.command: event.refused
            for event in past.events(experiment.directory)
            if isinstance(event, Acknowledged)
        }
        if all(each in answers for each in sent):
            return [answers[each] for each in sent if answers[each]]
        time.sleep(0.1)
    return None
