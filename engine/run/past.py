"""How the runs of an experiment ended so far, for a supervisor that takes it up again."""

from __future__ import annotations

from pathlib import Path

from engine.journal import layout
from engine.journal.events import AnyEvent, EndState, RunEnded, RunQueued, RunStarted
from engine.journal.files import Tail, parse
from engine.run.watch import Watch


def events(directory: Path) -> list[AnyEvent]:
    """All events of the supervisors of an experiment: a few lines per run."""
    tail = Tail(directory / layout.SUPERVISOR_JOURNAL)
    found: list[AnyEvent] = []
    while data := tail.read():
        found.extend(parse(data)[0])
    return found


def ended(directory: Path) -> dict[str, RunEnded]:
    """The last end of every run that has one and was not queued or started since."""
    ends: dict[str, RunEnded] = {}
    for event in events(directory):
        match event:
            case RunEnded():
                ends[event.run] = event
            case RunQueued() | RunStarted():
                ends.pop(event.run, None)
            case _:
                pass
    return ends


def attempts(directory: Path, run: str) -> int:
    """The number of the latest attempt that left a directory; 0 before the first."""
    found = layout.attempts(directory / run)
    return found[-1][0] if found else 0


def unjudged(directory: Path, run: str, ranks: int) -> EndState | None:
    """How all ``ranks`` say a run ended whose supervisor was killed before it could tell."""
    attempt = attempts(directory, run)
    if attempt == 0:
        return None
    watch = Watch(directory, run, attempt, ranks)
    watch.poll()
    if not watch.closed:
        return None
    states = {event.state for event in watch.closings.values()}
    return "done" if states == {"done"} else None
