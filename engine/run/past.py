"""How the runs of an experiment ended so far, for a supervisor that takes it up again."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from engine.journal import commands, layout
from engine.journal.events import (
    AnyEvent,
    EndState,
    QueueOrdered,
    Ready,
    RunEnded,
    RunQueued,
    RunStarted,
)
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


def over(
    ends: Mapping[str, RunEnded], again: Collection[str] | None, *, resume: bool = False
) -> dict[str, RunEnded]:
    """The ends that stand when a supervisor takes an experiment up again.

    ``again``: the runs that are to be done again; ``None``: all but those that are done or were
    taken out of the queue. What has no end is done in any case. What is done never begins anew,
    and goes on (``resume``) where it is named: a limit that ended it was lifted.
    """
    if again is None:
        again = [run for run, end in ends.items() if end.state != "done" and not taken_out(end)]
    return {
        run: end
        for run, end in ends.items()
        if run not in again or (end.state == "done" and not resume)
    }


def taken_out(end: RunEnded) -> bool:
    """Whether the end is one that the user wanted without anything having run."""
    return end.state == "stopped" and end.reason == commands.TAKEN_OUT


def order(directory: Path) -> tuple[str, ...]:
    """All runs that ever waited, in the order in which they were last put."""
    runs: list[str] = []
    for event in events(directory):
        match event:
            case RunQueued() if event.run not in runs:
                runs.append(event.run)
            case QueueOrdered():
                # They share out anew the places that they had.
                moved = [run for run in event.runs if run in runs]
                turns = iter(moved)
                runs = [next(turns) if run in moved else run for run in runs]
            case _:
                pass
    return tuple(runs)


def attempts(directory: Path, run: str) -> int:
    """The number of the latest attempt that left a directory; 0 before the first."""
    found = layout.attempts(directory / run)
    return found[-1][0] if found else 0


def total_steps(directory: Path, run: str) -> int | None:
    """The steps that all of a run has, as the latest attempt that got ready told."""
    ready = _ready(directory, run)
    return ready.total_steps if ready is not None else None


def steps(directory: Path, run: str) -> int | None:
    """The same without regard to any limit: those of all of its epochs."""
    ready = _ready(directory, run)
    return ready.epochs * ready.steps_per_epoch if ready is not None else None


def _ready(directory: Path, run: str) -> Ready | None:
    for attempt, _ in reversed(layout.attempts(directory / run)):
        # It is among the first lines.
        lines = Tail(layout.rank_journal(directory, run, attempt, 0)).read()
        for event in parse(lines)[0]:
            if isinstance(event, Ready):
                return event
    return None


def unjudged(directory: Path, run: str, ranks: int) -> EndState | None:
    """How all ``ranks`` say a run ended whose supervisor was killed before it could tell.

    One that was told to be done and waits again goes on: a limit that ended it was lifted.
    """
    attempt = attempts(directory, run)
    if attempt == 0 or _was_done(directory, run, attempt):
        return None
    watch = Watch(directory, run, attempt, ranks)
    watch.poll()
    if not watch.closed:
        return None
    states = {event.state for event in watch.closings.values()}
    return "done" if states == {"done"} else None


def _was_done(directory: Path, run: str, attempt: int) -> bool:
    return any(
        isinstance(event, RunEnded)
        and (event.run, event.attempt, event.state) == (run, attempt, "done")
        for event in events(directory)
    )
