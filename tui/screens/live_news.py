"""What happened to an experiment between two looks at it. Pure."""

from __future__ import annotations

from textual.message import Message

from tui.feed import Snapshot
from tui.messages import ExperimentFinished, RunFinished
from tui.seen import since

ENDED = ("done", "failed", "stopped")


class News:
    """Remembers the last look at one experiment, and tells what is new in the next."""

    def __init__(self) -> None:
        self._states: dict[str, str] = {}
        self._alive = False
        self._welcomed = False

    def welcome(self, snapshot: Snapshot, now: float) -> str:
        """Once, when all has been read: what happened since the user last looked, if anything."""
        if self._welcomed or not snapshot.caught_up:
            return ""
        self._welcomed = True
        return since(snapshot.before, snapshot.view, now) if snapshot.before is not None else ""

    def ends(self, snapshot: Snapshot) -> list[Message]:
        """The ends of runs, and of the whole, since the last look."""
        before = self._states
        self._states = {each.run: each.state for each in snapshot.view.runs}
        was_alive, self._alive = self._alive, snapshot.alive
        if not snapshot.caught_up:
            return []
        found: list[Message] = [
            RunFinished(run.run, run.strategy, run.state, run.reason)
            for run in snapshot.view.runs
            if run.state in ENDED and before.get(run.run) in ("queued", "running")
        ]
        if was_alive and not snapshot.alive:
            found.append(ExperimentFinished(snapshot.experiment.name, snapshot.state))
        return found
