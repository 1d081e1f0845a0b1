"""The queue of an experiment: which runs wait, which are over. Pure; the supervisor acts on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.journal.events import EndState
from engine.plan.runs import RunPlan

if TYPE_CHECKING:
    # Its module needs numpy, whose threads have no place in a process that forks.
    from engine.journal.views import RunState


@dataclass(slots=True)
class Place:
    """One run and how it stands."""

    plan: RunPlan
    state: RunState
    reason: str = ""


class Queue:
    """Runs in the order of the plan; those queued again go behind those that wait."""

    def __init__(self, runs: tuple[RunPlan, ...], ended: Mapping[str, EndState]) -> None:
        """``ended``: how runs ended before; what is done stays done, the rest is queued."""
        self.places = {
            run.run: Place(run, "done" if ended.get(run.run) == "done" else "queued")
            for run in runs
        }
        self._waiting = [name for name, place in self.places.items() if place.state == "queued"]

    @property
    def waiting(self) -> tuple[str, ...]:
        return tuple(self._waiting)

    def take(self) -> RunPlan | None:
        """The next run, now running; ``None`` when none waits."""
        if not self._waiting:
            return None
        place = self.places[self._waiting.pop(0)]
        place.state = "running"
        return place.plan

    def end(self, run: str, state: EndState, reason: str = "") -> None:
        """A run is over, or was taken out of the queue."""
        if run in self._waiting:
            self._waiting.remove(run)
        self.places[run].state = state
        self.places[run].reason = reason

    def again(self, run: str) -> str:
        """Queues a run again; the reason why not, or nothing."""
        place = self.places.get(run)
        if place is None:
            return f"there is no run {run!r}"
        if place.state in ("queued", "running"):
            return f"{run} is {place.state}"
        if place.state == "done":
            return f"{run} is done"
        place.state = "queued"
        place.reason = ""
        self._waiting.append(run)
        return ""

    def outcome(self) -> EndState:
        """How the whole experiment ended."""
        states = {place.state for place in self.places.values()}
        if "failed" in states:
            return "failed"
        return "done" if states == {"done"} else "stopped"
