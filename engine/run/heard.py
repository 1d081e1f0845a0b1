"""Whether a supervisor that cannot be asked, on another machine, may still live."""

from __future__ import annotations

import time
from pathlib import Path

from engine.errors import ExperimentError
from engine.experiment import Experiment
from engine.journal import layout

NO_WORD = 60.0
"""Seconds after which a supervisor that cannot be asked (on another machine) counts as gone. It
rewrites its summary every few seconds."""
LISTEN = 2.5
"""Seconds for which its samples are listened for: it writes one a second."""


def must_be_gone(experiment: Experiment) -> None:
    """Raises ``ExperimentError`` where a supervisor elsewhere may still run the experiment.

    Clocks of two machines may differ: what is old by ours may be new by theirs. So its journals are
    listened to as well. Takes ``LISTEN`` seconds at most, and none where this machine can tell.
    """
    if experiment.state() != "silent":
        return
    summary = experiment.summary()
    host = summary.host if summary is not None else "another machine"
    age = time.time() - summary.updated if summary is not None else 0.0
    if age < NO_WORD:
        told = f"last heard of {max(0.0, age):.0f} s ago"
    elif _grows(experiment.directory):
        told = "heard of right now"
    else:
        return
    raise ExperimentError(
        f"{experiment.title} runs on {host}: {told}; stop it there, or wait until it has "
        f"been silent for {NO_WORD:.0f} s"
    )


def _grows(directory: Path) -> bool:
    before = _sizes(directory)
    deadline = time.monotonic() + LISTEN
    while time.monotonic() < deadline:
        time.sleep(0.1)
        if _sizes(directory) != before:
            return True
    return False


def _sizes(directory: Path) -> list[int]:
    journals = [directory / layout.SUPERVISOR_JOURNAL]
    journals += [path for _, path in layout.node_journals(directory)]
    return [path.stat().st_size for path in journals if path.exists()]
