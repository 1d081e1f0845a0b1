"""The queue of an experiment: which runs wait, which are over. Pure; the supervisor acts on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.journal.commands import TAKEN_OUT
from engine.journal.events import EndState, RunEnded
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
    goes_on: bool = False
    """When its turn comes it goes on from its newest checkpoint; else it begins anew."""


class Queue:
    """Runs in the order of the plan, unless they were moved; those queued again go last."""

    def __init__(
        self, runs: tuple[RunPlan, ...], over: Mapping[str, RunEnded], order: Sequence[str] = ()
    ) -> None:
        """``over``: how those ended that are not to be done; the rest waits.

        ``order``: see ``past.order``; what is not in it comes behind it.
        """
        self.places = {run.run: Place(run, "queued") for run in runs}
        for name, end in over.items():
            if name in self.places:
                self.places[name].state, self.places[name].reason = end.state, end.reason
        self._waiting = [name for name, place in self.places.items() if place.state == "queued"]
        turn = {name: number for number, name in enumerate(order)}
        self._waiting.sort(key=lambda name: turn.get(name, len(turn)))

    @property
    def waiting(self) -> tuple[str, ...]:
        return tuple(self._waiting)

    @property
    def over(self) -> tuple[str, ...]:
        return tuple(
            name for name, each in self.places.items() if each.state not in ("queued", "running")
        )

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

    def again(self, run: str, *, goes_on: bool = False, done: bool = True) -> str:
        """Queues a run again, from its beginning or from where it was; the reason why not, or
        nothing. ``done``: see ``refusal``."""
        if refused := self.refusal(run, done=done):
            return refused
        place = self.places[run]
        place.state = "queued"
        place.reason = ""
        place.goes_on = goes_on
        self._waiting.append(run)
        return ""

    def refusal(self, run: str, *, done: bool = True) -> str:
        """Why a run cannot be queued again; nothing where it can. ``done``: that it is, is one."""
        place = self.places.get(run)
        if place is None:
            return f"there is no run {run!r}"
        reasons = ("queued", "running", "done") if done else ("queued", "running")
        return f"{run} is {place.state}" if place.state in reasons else ""

    def replan(self, plan: RunPlan) -> None:
        """A run will be trained by another plan."""
        self.places[plan.run].plan = plan

    def add(self, runs: Sequence[RunPlan]) -> None:
        """Runs that came to the plan wait behind the others."""
        for run in runs:
            self.places[run.run] = Place(run, "queued")
            self._waiting.append(run.run)

    def move(self, run: str, place: int) -> str:
        """Puts a run that waits to a place, from 0, among those that wait; the reason why not, or
        nothing. Behind the last is the last."""
        if run not in self._waiting:
            return f"{run} does not wait in the queue"
        self._waiting.remove(run)
        self._waiting.insert(max(0, place), run)
        return ""

    def interleave(self) -> None:
        """Every repeat for itself, first at equal batches, then each strategy at its best."""

        def turn(name: str) -> tuple[int, bool]:
            plan = self.places[name].plan
            return plan.repeat, plan.view == "best"

        self._waiting.sort(key=turn)

    def outcome(self) -> EndState:
        """How the whole experiment ended. What was taken out does not count, unless all was."""
        places = self.places.values()
        kept = [place.state for place in places if not is_taken_out(place)]
        if "failed" in kept:
            return "failed"
        return "done" if set(kept) == {"done"} else "stopped"


def is_taken_out(place: Place) -> bool:
    return place.state == "stopped" and place.reason == TAKEN_OUT
