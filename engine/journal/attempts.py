"""What the ranks of one run told, folded: the newest attempt foremost, one history over all."""

from __future__ import annotations

import math
from collections import deque

from engine.journal.attempt import CHECKPOINTS, Attempt
from engine.journal.attempt_view import AttemptView
from engine.journal.events import (
    AnyEvent,
    AttemptStarted,
    CheckpointSaved,
    ClassesJudged,
    Memory,
    Notice,
    Ready,
    Steps,
)
from engine.journal.history import History
from engine.journal.judged import JudgedView, newest
from engine.journal.pipeline_view import PipelineView
from engine.journal.stages import pipeline_view
from engine.journal.sums import validation_view
from engine.journal.views import EpochView, PhaseView, ValidationView

NOTICES = 300


class RankEvents:
    """Every attempt of one run. Events come in any order, and late ones disturb nothing."""

    def __init__(self) -> None:
        self.history = History()
        self.attempts: dict[int, Attempt] = {}
        self.notices: deque[Notice] = deque(maxlen=NOTICES)
        self.refused = 0
        """Judgements of classes whose parts do not fit each other."""

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
                self._begin(attempt, rank, event)
            case Ready():
                self._ready(attempt, rank, event)
            case Notice():
                self.notices.append(event)
            case ClassesJudged():
                self.refused += not attempt.judgements.add(event)
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

    def judged(self, *, best: bool) -> JudgedView | None:
        """What the newest validation said of each class that said anything of them; with ``best``,
        the newest one that was the best until then. A resume undoes it as it does others."""
        attempts = self._with_cuts()
        told = [view for attempt, cut in attempts for view in attempt.judgements.until(cut)]
        return newest(told, best=best)

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

    def world_size(self) -> int:
        newest = self.newest
        return newest.world_size if newest is not None else 1

    def versions(self) -> tuple[tuple[str, str], ...]:
        """What the newest attempt computes with, as its first rank told it."""
        newest = self.newest
        if newest is None or not newest.versions:
            return ()
        return tuple(newest.versions[min(newest.versions)].items())

    def ranks_ready(self) -> int:
        newest = self.newest
        return len(newest.readies) if newest is not None else 0

    def devices(self) -> tuple[str, ...]:
        """Of all ranks that are ready, by rank; those of the attempt that ``ready`` is of."""
        return tuple(name for _, each in self.readies() for name in each.devices or (each.device,))

    def pipeline(self) -> PipelineView | None:
        """The newest split, with what was measured of it that a resume has not undone."""
        return pipeline_view([(attempt.pipeline, cut) for attempt, cut in self._with_cuts()])

    def phases(self) -> tuple[PhaseView, ...]:
        """Of the first rank, in the newest attempt: the others do the same at the same time."""
        newest = self.newest
        return tuple(newest.phases.get(0, ())) if newest is not None else ()

    def readies(self) -> tuple[tuple[int, Ready], ...]:
        """What each rank told, of the attempt that ``ready`` is of."""
        for _, attempt in sorted(self.attempts.items(), reverse=True):
            if attempt.readies:
                return tuple(sorted(attempt.readies.items()))
        return ()

    def rank_memory(self) -> tuple[tuple[int, Memory], ...]:
        newest = self.newest
        return _by_rank(newest.memory) if newest is not None else ()

    def first_memory(self) -> tuple[tuple[int, Memory], ...]:
        newest = self.newest
        return _by_rank(newest.first_memory) if newest is not None else ()

    def epoch_estimate(self) -> float | None:
        """Of the epoch that the slowest rank is in, as the slowest expects it."""
        newest, epoch = self.newest, self.epoch()
        told = newest.estimates.values() if newest is not None else ()
        return max((each.seconds for each in told if each.epoch == epoch), default=None)

    def memory(self) -> Memory | None:
        newest = self.newest
        if newest is None or not newest.memory:
            return None
        return max(newest.memory.values(), key=lambda each: (each.peak_allocated or 0, each.rss))

    def views(self) -> tuple[AttemptView, ...]:
        """How each attempt computed its steps, as far as ranks tell."""
        return tuple(
            AttemptView(
                number=attempt.number,
                from_step=attempt.from_step or 0,
                until=None if math.isinf(cut) else int(cut),
                strategy=attempt.ready.strategy if attempt.ready is not None else "",
                devices=attempt.devices,
            )
            for attempt, cut in self._with_cuts()
        )

    def _begin(self, attempt: Attempt, rank: int, event: AttemptStarted) -> None:
        self.history.begin(attempt.number, event)
        attempt.versions[rank] = event.versions
        attempt.world_size = max(attempt.world_size, event.world_size)
        if attempt.started is None or event.t < attempt.started:
            attempt.started = event.t
        if attempt.from_step is None:
            attempt.from_step = max(0, event.from_step)

    def _ready(self, attempt: Attempt, rank: int, event: Ready) -> None:
        attempt.end_phase(rank, event.t)
        attempt.readies.setdefault(rank, event)
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


def _by_rank(memory: dict[int, Memory]) -> tuple[tuple[int, Memory], ...]:
    return tuple(sorted(memory.items()))
