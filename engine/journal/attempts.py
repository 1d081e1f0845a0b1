"""What the ranks of one run told, folded: the newest attempt foremost, one history over all."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field

import numpy as np

from engine.journal.events import (
    AnyEvent,
    AttemptEnded,
    AttemptStarted,
    CheckpointSaved,
    Dropped,
    EpochEnded,
    EpochStarted,
    Memory,
    Notice,
    Phase,
    Ready,
    Steps,
    Validated,
)
from engine.journal.history import History
from engine.journal.sums import epoch_view, validation_view
from engine.journal.views import EpochView, PhaseView, ValidationView

NOTICES = 300
CHECKPOINTS = 300
PHASES = 100


@dataclass(slots=True)
class Attempt:
    """One attempt as its ranks told it."""

    number: int
    started: float | None = None
    from_step: int | None = None
    world_size: int = 1
    ready: Ready | None = None
    phases: dict[int, list[PhaseView]] = field(default_factory=dict)
    """Of each rank."""
    epochs_begun: dict[int, int] = field(default_factory=dict)
    """The epoch each rank is in."""
    epochs: dict[int, dict[int, EpochEnded]] = field(default_factory=dict)
    """By epoch, then rank."""
    validations: dict[int, Validated] = field(default_factory=dict)
    checkpoints: deque[CheckpointSaved] = field(default_factory=lambda: deque(maxlen=CHECKPOINTS))
    memory: dict[int, Memory] = field(default_factory=dict)
    ends: dict[int, AttemptEnded] = field(default_factory=dict)
    dropped: int = 0

    def apply(self, rank: int, event: AnyEvent) -> None:
        match event:
            case Phase():
                self.phase(rank, event)
            case EpochStarted():
                self.epochs_begun[rank] = event.epoch
            case EpochEnded():
                self.epochs.setdefault(event.epoch, {})[rank] = event
            case Validated():
                self.validations[event.epoch] = event
            case CheckpointSaved():
                self.checkpoints.append(event)
            case Memory():
                self.memory[rank] = event
            case Dropped():
                self.dropped += max(0, event.count)
            case AttemptEnded():
                self.end_phase(rank, event.t)
                self.ends[rank] = event
            case _:
                # An event of another writer in this file: damage of no consequence.
                return

    def phase(self, rank: int, event: Phase) -> None:
        phases = self.phases.setdefault(rank, [])
        self.end_phase(rank, event.t)
        phases.append(PhaseView(name=event.name, started=event.t, seconds=None))
        del phases[:-PHASES]

    def end_phase(self, rank: int, t: float) -> None:
        phases = self.phases.get(rank)
        if phases and phases[-1].seconds is None:
            open_one = phases[-1]
            phases[-1] = PhaseView(
                name=open_one.name,
                started=open_one.started,
                seconds=max(0.0, t - open_one.started),
            )

    def steps(self, rank: int, event: Steps) -> None:
        """Ends a phase at the first step that began after it."""
        phases = self.phases.get(rank)
        if phases and phases[-1].seconds is None:
            begun = _first_after(event, phases[-1].started)
            if begun is not None:
                self.end_phase(rank, begun)

    def epoch_views(self) -> list[EpochView]:
        """The epochs that every rank has finished."""
        return [
            epoch_view(ranks)
            for _, ranks in sorted(self.epochs.items())
            if len(ranks) >= self.world_size
        ]


class RankEvents:
    """Every attempt of one run. Events come in any order, and late ones disturb nothing."""

    def __init__(self) -> None:
        self.history = History()
        self.attempts: dict[int, Attempt] = {}
        self.notices: deque[Notice] = deque(maxlen=NOTICES)

    @property
    def newest(self) -> Attempt | None:
        return self.attempts[max(self.attempts)] if self.attempts else None

    def attempt(self, number: int) -> Attempt:
        if number not in self.attempts:
            self.attempts[number] = Attempt(number)
        return self.attempts[number]

    def apply(self, number: int, rank: int, event: AnyEvent) -> None:
        attempt = self.attempts.get(number) or self.attempt(number)
        match event:
            case Steps():
                self.history.add(number, rank, event)
                if attempt.phases:
                    attempt.steps(rank, event)
            case AttemptStarted():
                self._begin(attempt, event)
            case Ready():
                self._ready(attempt, rank, event)
            case Notice():
                self.notices.append(event)
            case _:
                attempt.apply(rank, event)

    def epochs(self) -> tuple[EpochView, ...]:
        """Of all attempts, without those of which a resume has undone a part."""
        views: dict[int, EpochView] = {}
        for attempt, cut in self._with_cuts():
            for view in attempt.epoch_views():
                if view.end_step <= cut:
                    views[view.epoch] = view
        return tuple(view for _, view in sorted(views.items()))

    def validations(self) -> tuple[ValidationView, ...]:
        views: dict[int, ValidationView] = {}
        for attempt, cut in self._with_cuts():
            for event in attempt.validations.values():
                if event.step <= cut:
                    views[event.epoch] = validation_view(event)
        return tuple(view for _, view in sorted(views.items()))

    def checkpoints(self) -> tuple[CheckpointSaved, ...]:
        saved = [
            event
            for attempt, cut in self._with_cuts()
            for event in attempt.checkpoints
            if event.step <= cut
        ]
        return tuple(saved[-CHECKPOINTS:])

    def dropped(self) -> int:
        return sum(attempt.dropped for attempt in self.attempts.values())

    def epoch(self) -> int:
        """The epoch that the slowest rank is in, from 0."""
        newest = self.newest
        if newest is not None and newest.epochs_begun:
            return min(newest.epochs_begun.values())
        ready = self.ready()
        if ready is None or ready.steps_per_epoch <= 0:
            return 0
        return min(self.history.freeze().steps // ready.steps_per_epoch, max(0, ready.epochs - 1))

    def ready(self) -> Ready | None:
        """What the newest attempt that came so far knew before its first step."""
        for _, attempt in sorted(self.attempts.items(), reverse=True):
            if attempt.ready is not None:
                return attempt.ready
        return None

    def phases(self) -> tuple[PhaseView, ...]:
        """Of the first rank that told any, in the newest attempt."""
        newest = self.newest
        if newest is None or not newest.phases:
            return ()
        return tuple(newest.phases[min(newest.phases)])

    def memory(self) -> Memory | None:
        newest = self.newest
        if newest is None or not newest.memory:
            return None
        return max(newest.memory.values(), key=lambda each: (each.peak_allocated or 0, each.rss))

    def _begin(self, attempt: Attempt, event: AttemptStarted) -> None:
        self.history.begin(attempt.number, event)
        attempt.world_size = max(attempt.world_size, event.world_size)
        if attempt.started is None or event.t < attempt.started:
            attempt.started = event.t
        if attempt.from_step is None:
            attempt.from_step = max(0, event.from_step)

    def _ready(self, attempt: Attempt, rank: int, event: Ready) -> None:
        attempt.end_phase(rank, event.t)
        attempt.ready = attempt.ready or event
        if attempt is self.newest:
            self.history.set_epoch_length(event.steps_per_epoch)

    def _with_cuts(self) -> list[tuple[Attempt, float]]:
        """Attempts, oldest first, each with the step from which on later ones replace it."""
        cut = math.inf
        result: list[tuple[Attempt, float]] = []
        for _, attempt in sorted(self.attempts.items(), reverse=True):
            result.append((attempt, cut))
            if attempt.from_step is not None:
                cut = min(cut, attempt.from_step)
        return result[::-1]


def _first_after(event: Steps, t: float) -> float | None:
    """When the first of these steps began that began after ``t``; ``None`` where none did."""
    if event.since >= t or "step_seconds" not in event.names:
        return event.since if event.since >= t else None
    column = event.columns[event.names.index("step_seconds")]
    if len(column) != 4 * event.count:
        return None
    seconds = np.nan_to_num(np.frombuffer(column, "<f4").astype(np.float64))
    begun = event.since + np.cumsum(seconds)[:-1]
    later = begun[begun >= t]
    return float(later[0]) if len(later) else None
