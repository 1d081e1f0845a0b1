"""Requests to a supervisor: a small file each, renamed into place, acknowledged in its journal."""

from __future__ import annotations

import time
import uuid
from pathlib import Path
from typing import Literal

import msgspec

from engine.errors import ExperimentError
from engine.journal import layout

Action = Literal[
    "stop",
    "kill",
    "stop-run",
    "drop-run",
    "retry-run",
    "resume-run",
    "checkpoint",
    "add-runs",
    "move-run",
]


TAKEN_OUT = "taken out of the queue"
"""The reason of a run that ended ``stopped`` because of ``drop-run``: nobody misses it, and only
who names it queues it again. A run that waited when all was stopped has another one."""


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """``stop`` ends everything gently, ``kill`` at once; ``checkpoint`` has what trains saved now;
    ``add-runs`` brings runs of its own; the others are about one ``run``: ``retry-run`` trains it
    again from its beginning, ``resume-run`` goes on from its newest checkpoint."""

    id: str
    action: Action
    run: str = ""
    place: int = 0
    """For ``move-run``: where among those that wait it will be, from 0."""
    plans: msgspec.Raw = msgspec.Raw(b"[]")
    """For ``add-runs``: plans of runs, as JSON; their names are given by the supervisor. For
    ``resume-run``: another plan to go on by, if any."""


def send(
    experiment: Path, action: Action, run: str = "", *, place: int = 0, plans: bytes = b"[]"
) -> str:
    """Leaves a request for the supervisor and returns its id."""
    # File systems tell times in steps of some milliseconds: the name tells which of two came first.
    name = f"{time.time_ns():020d}-{uuid.uuid4().hex[:12]}"
    command = Command(id=name, action=action, run=run, place=place, plans=msgspec.Raw(plans))
    directory = experiment / layout.COMMANDS
    try:
        directory.mkdir(exist_ok=True)
        temporary = directory / f".{command.id}"
        temporary.write_bytes(msgspec.json.encode(command))
        temporary.replace(directory / f"{command.id}.json")
    except OSError as error:
        raise ExperimentError(f"cannot leave a request in {directory}: {error.strerror}") from error
    return command.id


def receive(experiment: Path) -> list[Command]:
    """The requests that wait, oldest first; each is handed out once. What is no request goes."""
    directory = experiment / layout.COMMANDS
    waiting: list[tuple[float, Path]] = []
    try:
        waiting.extend((path.stat().st_mtime, path) for path in directory.glob("[!.]*.json"))
    except OSError:
        return []
    commands = []
    for _, path in sorted(waiting):
        try:
            commands.append(msgspec.json.decode(path.read_bytes(), type=Command))
        except (OSError, msgspec.MsgspecError):
            pass
        path.unlink(missing_ok=True)
    return commands
