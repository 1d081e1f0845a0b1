"""How an attempt ended: by what its ranks said last, not by exit codes."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from engine.journal.events import AttemptEnded, EndState
from engine.plan.text import clean

LAST_LINES = 12
"""How many lines of a traceback or log are kept as the detail of a failure."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a run ended, why, and the last lines of the failed rank's own traceback or log."""

    state: EndState
    reason: str = ""
    detail: str = ""


def judge(
    closings: Mapping[int, AttemptEnded],
    ranks: int,
    exit_code: int,
    *,
    killed: str,
    asked: bool,
    out_of_memory: bool,
    log: str,
) -> Verdict:
    """The verdict on an attempt whose processes have ended.

    ``asked``: it had been asked to stop; ``killed``: why the supervisor killed it, if it did.
    ``log`` is the end of what the silent rank printed.
    """
    failed = [event for event in closings.values() if event.state == "failed"]
    if failed:
        # The first to fail is the cause; the others only lost their peer.
        first = min(failed, key=lambda event: event.t)
        return Verdict("failed", clean(first.reason), last_lines(first.traceback))
    if len(closings) >= ranks:
        stopped = [event for event in closings.values() if event.state == "stopped"]
        if stopped:
            return Verdict("stopped", clean(stopped[0].reason))
        return Verdict("done", clean(closings[min(closings)].reason))
    if killed:
        return Verdict("stopped", killed)
    if asked and exit_code == -signal.SIGTERM:
        return Verdict("stopped", "stopped before training began")
    detail = last_lines(log)
    return Verdict("failed", _silent_end(exit_code, out_of_memory, detail), detail)


def last_lines(text: str, count: int = LAST_LINES) -> str:
    """The last lines that are not empty, each cleaned."""
    lines = [clean(line.rstrip()) for line in text.splitlines() if line.strip()]
    return "\n".join(lines[-count:])


def end_of(path: Path, size: int = 8192) -> str:
    """The last ``size`` bytes of a file as text; empty where it cannot be read."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - size))
            return file.read().decode("utf-8", errors="replace")
    except OSError:
        return ""


def _silent_end(exit_code: int, out_of_memory: bool, detail: str) -> str:
    if exit_code >= 0:
        said = detail.splitlines()[-1] if detail else "it said nothing"
        return f"the training process ended with exit code {exit_code}: {said}"
    try:
        name = signal.Signals(-exit_code).name
    except ValueError:
        name = "unknown"
    told = f"the training process was killed by signal {-exit_code} ({name})"
    if -exit_code != signal.SIGKILL:
        return told
    if out_of_memory:
        return f"{told}: memory ran out; use fewer workers or a smaller batch"
    return f"{told}: by hand, or by the system when memory ran out"
