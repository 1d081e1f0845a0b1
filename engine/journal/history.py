"""Step columns of a run, folded for charts: rows of the recent past, and a pyramid over all.

A run is a sequence of attempts; each begins at some step, from which on the earlier ones no longer
count, so that a curve has no doubled step. Every rank of an attempt is a track, and ``all`` is one
more, folded up to the slowest rank. Rows stay in memory up to a budget; where the oldest were
evicted, the finest answer is in stretches of 32 rows.
"""

from __future__ import annotations

from engine.journal import incoming
from engine.journal.curves import Axis, Buckets, HistoryView, Segment, kept_from
from engine.journal.events import AttemptStarted, Steps
from engine.journal.ranks import Rank, Ranks
from engine.journal.track import Track

__all__ = ["BUDGET", "Axis", "Buckets", "History", "HistoryView"]

BUDGET = 64 * 2**20
"""Bytes of rows that a history keeps in memory."""

_LARGEST_GAP = 2**20
"""Steps that may be missing (damaged lines) before a later step is taken for damage itself."""


class History:
    """Fed with events in any amount; ``freeze`` hands out what there is, without a copy."""

    def __init__(self, budget: int = BUDGET) -> None:
        self.budget = budget
        self.skipped = 0
        """Events that could not be believed, or told of steps already known."""
        self._attempts: dict[int, Ranks] = {}
        self._metrics: list[str] = []
        self._epoch_length: int | None = None
        self._view: HistoryView | None = HistoryView()

    def set_epoch_length(self, steps: int) -> None:
        """Says how many steps an epoch has; without it there is no epoch axis."""
        self._epoch_length = steps if steps > 0 else None
        self._view = None

    def begin(self, attempt: int, event: AttemptStarted) -> None:
        """A rank of an attempt begins: earlier attempts end at its first step."""
        if not 0 <= event.from_step <= incoming.LARGEST_STEP:
            self.skipped += 1
            return
        ranks = self._ranks(attempt)
        ranks.world_size = max(ranks.world_size, event.world_size)
        if ranks.begin is None:
            self._begin(attempt, event.from_step)
        self._view = None

    def add(self, attempt: int, rank: int, event: Steps) -> None:
        """Takes the steps of one rank; what cannot be believed is skipped and counted."""
        if not incoming.is_sound(event):
            self.skipped += 1
            return
        ranks = self._ranks(attempt)
        part = ranks.by_rank.get(rank)
        if part is None:
            if ranks.begin is None:
                self._begin(attempt, event.first)
            part = ranks.add(rank, event.first)
        if event.first != part.next or event.names != part.names:
            fitting = self._fit(part, event)
            if fitting is None:
                self.skipped += 1
                return
            event = fitting
        self._view = None
        if part.take(event):
            part.settle(self._metrics)
            self._evict()

    def freeze(self) -> HistoryView:
        """What there is now; it never changes, whatever is added later."""
        if self._view is None:
            for ranks in self._attempts.values():
                ranks.settle()
            self._evict()
            self._view = self._freeze()
        return self._view

    def _ranks(self, attempt: int) -> Ranks:
        if attempt not in self._attempts:
            self._attempts[attempt] = Ranks(self._metrics)
            self._attempts = dict(sorted(self._attempts.items()))
        return self._attempts[attempt]

    def _begin(self, attempt: int, step: int) -> None:
        """Sets where an attempt begins, and ends what earlier ones did there."""
        ranks = self._attempts[attempt]
        ranks.begin = step
        for other, each in self._attempts.items():
            if other < attempt:
                each.end_before(step)
            elif other > attempt and each.begin is not None:
                ranks.end_before(each.begin)

    def _fit(self, part: Rank, event: Steps) -> Steps | None:
        """What is new in an event that does not simply go on where the last one ended.

        Lost steps become rows of NaN. ``None`` where nothing is new, or too much is lost.
        """
        gap = event.first - part.next
        if gap > _LARGEST_GAP or -gap >= event.count or not self._knows(event.names):
            return None
        part.settle(self._metrics)
        part.names = event.names
        if gap < 0:
            return incoming.without_first(event, -gap)
        if gap > 0:
            part.pass_over(event.first, event.since, len(self._metrics))
        return event

    def _knows(self, names: tuple[str, ...]) -> bool:
        """Takes up metrics that are new; not where a name comes twice, or they become too many."""
        new = [name for name in names if name not in self._metrics]
        if len(set(names)) < len(names) or len(self._metrics) + len(new) > incoming.MOST_METRICS:
            return False
        self._metrics.extend(new)
        return True

    def _evict(self) -> None:
        """Lets go of the oldest rows, attempt by attempt, until the rest fits the budget."""
        tracks = [track for ranks in self._attempts.values() for track in ranks.tracks()]
        excess = sum(track.bytes for track in tracks) - self.budget
        if excess <= 0:
            return
        for ranks in self._attempts.values():
            ranks.settle()
            while excess > 0 and (able := ranks.evictable()):
                excess -= min(able, key=lambda track: track.oldest).evict()

    def _freeze(self) -> HistoryView:
        segments: dict[int | None, tuple[Segment, ...]] = {None: ()}
        steps = 0
        for attempt in self._attempts.values():
            whole = attempt.all()
            if whole is not None:
                _extend(segments, None, whole)
            for rank, part in attempt.by_rank.items():
                _extend(segments, rank, part.track)
            steps = attempt.begin or 0
            if whole is not None:
                steps = whole.base + whole.size
        ranks = [rank for rank in segments if rank is not None]
        return HistoryView(
            metrics=tuple(self._metrics),
            ranks=tuple(sorted(ranks)),
            steps=steps,
            rows_kept_from=kept_from(segments[None]),
            epoch_length=self._epoch_length,
            segments=segments,
        )


def _extend(
    segments: dict[int | None, tuple[Segment, ...]], rank: int | None, track: Track
) -> None:
    view = track.freeze()
    if view.size:
        before = segments.get(rank, ())
        seconds = before[-1].ended if before else 0.0
        segments[rank] = (*before, Segment(view, seconds))
