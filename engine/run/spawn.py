"""Starting a supervisor that outlives whoever started it."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from engine.errors import ExperimentError
from engine.experiment import Experiment
from engine.journal import commands, layout
from engine.journal.events import SupervisorStarted
from engine.journal.files import Tail, parse
from engine.journal.lock import is_held
from engine.run import detached
from engine.run.evidence import end_of, last_lines
from engine.run.launch import python

AGAIN = "--again"
"""Before the names of runs that a supervisor does again."""
RESUME = "--resume"
"""They go on from their newest checkpoints; without it they begin anew."""

_PATIENCE = 30.0
"""Seconds for an interpreter to start and write one line, on a slow disk."""


def start_supervisor(
    experiment: Experiment, again: Sequence[str] | None = None, *, resume: bool = False
) -> int:
    """Starts the supervisor, detached, and returns its pid once it has the experiment's lock.

    Runs that have no end are queued, and of the others those in ``again``; ``None``: all that are
    neither done nor taken out of the queue. Those in ``again`` begin anew, unless ``resume``; what
    else is not done goes on from its newest checkpoint. Raises ``ExperimentError`` with the last
    line of its log where it does not come up, or where another supervisor has the experiment.
    """
    directory = experiment.directory
    if is_held(directory / layout.LOCK):
        raise ExperimentError(
            f"{experiment.name} is running already; 'resnet-tui attach {experiment.name}' shows it"
        )
    # Requests to an earlier supervisor are void; from here on they are meant for this one.
    commands.receive(directory)
    journal = Tail(directory / layout.SUPERVISOR_JOURNAL)
    while journal.read():
        pass
    process = _spawn(directory, again, resume=resume)
    # The supervisor may end long before us: its status is taken, so that no zombie is left.
    threading.Thread(target=process.wait, daemon=True, name="reaper").start()
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        if _has_begun(journal, process.pid):
            return process.pid
        if process.returncode is not None:
            break
        time.sleep(0.02)
    log = last_lines(end_of(directory / layout.SUPERVISOR_LOG), 1)
    process.kill()
    raise ExperimentError(
        f"{experiment.name} did not start: {log or 'its supervisor said nothing'}"
    )


def _spawn(
    directory: Path, again: Sequence[str] | None, *, resume: bool
) -> subprocess.Popen[bytes]:
    command = python("-m", "engine.run.supervise", str(directory))
    if resume:
        command = (*command, RESUME)
    if again is not None:
        command = (*command, AGAIN, "/".join(again))  # No name of a directory has that in it.
    if detached.can_leave_login():
        command = (*detached.SCOPE, "--", *command)
    try:
        with (directory / layout.SUPERVISOR_LOG).open("ab") as log:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=directory,
                start_new_session=True,
            )
    except OSError as error:
        raise ExperimentError(f"cannot start {directory.name}: {error.strerror}") from error


def _has_begun(journal: Tail, pid: int) -> bool:
    events, _ = parse(journal.read())
    return any(isinstance(event, SupervisorStarted) and event.pid == pid for event in events)
