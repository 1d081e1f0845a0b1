"""What is known about an attempt whose processes have ended, and the verdict made of it."""

from __future__ import annotations

import signal
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from engine.journal.events import AttemptEnded, EndState
from engine.plan.text import clean
from engine.run.torchrun import RankError, signal_name

LAST_LINES = 12
"""How many lines of a traceback or log are kept as the detail of a failure."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a run ended, why, and the last lines of the failed rank's own traceback or log."""

    state: EndState
    reason: str = ""
    detail: str = ""
    exit_code: int | None = None
    """Of the rank that failed; ``None`` where it is that of the launched process, or unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What ``judge`` looks at."""

    closings: Mapping[int, AttemptEnded]
    """The closing events of the ranks that wrote one."""
    exit_code: int
    """Of the launched process: the rank itself, or torchrun."""
    ranks: int = 1
    ended: Verdict | None = None
    """Where the supervisor ended it for a reason of its own: what it said."""
    asked: bool = False
    """It had been asked to stop."""
    out_of_memory: str = ""
    """What to tell where the system killed a process of this group meanwhile, because memory ran
    out; empty where it did not."""
    log: Callable[[int], str] = field(default=lambda rank: "")
    """The end of what a rank printed."""

    # Where torchrun launched it:
    launcher_log: str = ""
    errors: Mapping[int, RankError] = field(default_factory=dict)
    """What ranks wrote when they failed."""
    root_cause: RankError | None = None
    """What torchrun says it was."""
    gone: Collection[int] = ()
    """Ranks that died without a closing event while the supervisor killed nobody, in order."""
    killed: bool = False
    """The supervisor killed what was left."""


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


def silent_end(who: str, exit_code: int, out_of_memory: str, detail: str) -> str:
    """The sentence about a process that ended without a word; ``detail`` is what it printed, and
    ``out_of_memory`` that of the evidence."""
    if exit_code >= 0:
        said = detail.splitlines()[-1] if detail else "it said nothing"
        return f"{who} ended with exit code {exit_code}: {said}"
    told = f"{who} was killed by signal {-exit_code} ({signal_name(-exit_code)})"
    if -exit_code != signal.SIGKILL:
        return told
    if out_of_memory:
        return f"{told}: {out_of_memory}"
    return f"{told}: by hand, or by the system when memory ran out"
