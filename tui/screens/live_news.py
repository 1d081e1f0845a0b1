"""What happened to an experiment between two looks at it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from textual.message import Message

from engine.journal.events import BatchFound, Notice
from engine.journal.views import ExperimentView, RunView
from engine.plan.text import clean
from tui.feed import Snapshot
from tui.messages import ExperimentFinished, RunFinished
from tui.screens.live_model import entries
from tui.seen import since
from tui.widgets import format as show

ENDED = ("done", "failed", "stopped")

ALERTS = frozenset(
    (
        "starving",
        "not-finite",
        "silent",
        "throttled",
        "gpu-lost",
        "disk",
        # None could be saved, or a run does not go on where it was expected to.
        "checkpoint",
        "resume",
    )
)
"""The codes of notices worth a toast."""


SAME = 60.0
"""Seconds within which ranks warn of the same."""


@dataclass(frozen=True, slots=True)
class Alert:
    """A sentence that should be seen at once; ``run`` is empty where it is of the whole."""

    t: float
    run: str
    code: str
    level: str
    text: str


class News:
    """Remembers the last look at one experiment, and tells what is new in the next."""

    def __init__(self) -> None:
        self._states: dict[str, str] = {}
        self._alive = False
        self._welcomed = False
        self._alerts: frozenset[Alert] | None = None
        """Those at the last look; ``None`` before all has been read."""
        self._found: dict[str, BatchFound] = {}
        self._found_first = True
        self._told: dict[tuple[str, str], float] = {}
        """When a run's warnings of a kind were last told."""

    def alerts(self, snapshot: Snapshot) -> list[Alert]:
        """Warnings since the last look, oldest first; those before the first look are history."""
        if not snapshot.caught_up:
            return []
        now = frozenset(_alerts(snapshot.view))
        fresh = now - self._alerts if self._alerts is not None else frozenset()
        self._alerts = now
        return [each for each in sorted(fresh, key=lambda each: each.t) if not self._was_told(each)]

    def found(self, snapshot: Snapshot) -> list[str]:
        """Batch sizes that were found since the last look; those before the first are history."""
        if not snapshot.caught_up:
            return []
        now = {each.strategy: each.found for each in snapshot.view.searches if each.found}
        fresh = [each for name, each in now.items() if self._found.get(name) != each]
        first, self._found = self._found_first, now
        self._found_first = False
        return [] if first else [_found(each) for each in fresh]

    def _was_told(self, alert: Alert) -> bool:
        """By another rank of the run just before: what they share is told by all of them."""
        if not alert.run:
            return False
        told = self._told.get((alert.run, alert.code))
        again = told is not None and 0.0 <= alert.t - told < SAME
        if not again:
            self._told[alert.run, alert.code] = alert.t
        return again

    def welcome(self, snapshot: Snapshot, now: float) -> str:
        """Once, when all has been read: what happened since the user last looked, if anything."""
        if self._welcomed or not snapshot.caught_up:
            return ""
        self._welcomed = True
        if snapshot.before is None:
            return ""
        titles = {each.name: each.title for each in entries(snapshot)}
        return since(snapshot.before, snapshot.view, titles, now)

    def ends(self, snapshot: Snapshot) -> list[Message]:
        """The ends of runs, and of the whole, since the last look."""
        before = self._states
        self._states = {each.run: each.state for each in snapshot.view.runs}
        was_alive, self._alive = self._alive, snapshot.alive
        if not snapshot.caught_up:
            return []
        titles = {each.name: each.title for each in entries(snapshot)}
        found: list[Message] = [
            RunFinished(run.run, titles.get(run.run, run.strategy), run.state, run.reason)
            for run in snapshot.view.runs
            if run.state in ENDED and _was_under_way(run, before.get(run.run))
        ]
        if was_alive and not snapshot.alive:
            found.append(ExperimentFinished(snapshot.experiment.name, snapshot.state))
        return found


def _was_under_way(run: RunView, before: str | None) -> bool:
    """What was taken out of the queue did not end: it never began."""
    return before == "running" or (before == "queued" and run.state != "stopped")


def _found(found: BatchFound) -> str:
    strategy, reason = clean(found.strategy), clean(found.reason)
    if found.batch_size is None:
        return f"no batch size of {strategy} could be measured: {reason}"
    rate = show.rate(found.images_per_second)
    return f"{strategy} is fastest at a batch of {show.count(found.batch_size)}: {rate} images/s"


def _alerts(view: ExperimentView) -> Iterator[Alert]:
    several = len(view.runs) > 1
    for run in view.runs:
        for notice in run.notices:
            if _is_alert(notice):
                text = f"{run.strategy}: {notice.text}" if several else notice.text
                yield Alert(notice.t, run.run, notice.code, notice.level, clean(text))
    for notice in view.notices:
        if _is_alert(notice):
            yield Alert(notice.t, "", notice.code, notice.level, clean(notice.text))


def _is_alert(notice: Notice) -> bool:
    return notice.code in ALERTS and notice.level in ("warning", "error")
