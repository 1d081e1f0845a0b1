"""Step columns of a run, folded for charts: rows of the recent past, and a pyramid over all.

A run is a sequence of attempts; each begins at some step, from which on the earlier ones no longer
count, so that a curve has no doubled step. Every rank of an attempt is a track, and ``all`` is one
more, folded up to the slowest rank. Rows stay in memory up to a budget; where the oldest were
evicted, the finest answer is in stretches of 32 rows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.journal import incoming
from engine.journal.curves import Axis, Buckets, HistoryView, Segment, kept_from
from engine.journal.events import AttemptStarted, Steps
from engine.journal.ranks import combine
from engine.journal.track import Track

__all__ = ["BUDGET", "Axis", "Buckets", "History", "HistoryView"]

BUDGET = 64 * 2**20
"""Bytes of rows that a history keeps in memory."""

_PENDING_ROWS = 4096
"""Rows that wait at most until they are decoded together."""

_LARGEST_GAP = 2**20
"""Steps that may be missing (damaged lines) before a later step is taken for damage itself."""


class _Rank:
    """A track and the events that wait to be put into it."""

    def __init__(self, base: int) -> None:
        self.track = Track(base)
        self.next = base
        self.names: tuple[str, ...] = ()
        self.waiting: list[Steps] = []
        self.rows_waiting = 0


class _Attempt:
    """The ranks of one attempt, and all of them together."""

    def __init__(self) -> None:
        self.begin: int | None = None
        self.world_size = 0
        self.ranks: dict[int, _Rank] = {}
        self.folded: Track | None = None

    @property
    def complete(self) -> bool:
        return 0 < len(self.ranks) >= self.world_size

    def all(self) -> Track | None:
        """The track of all ranks: with one rank, that rank's own."""
        if not self.complete:
            return None
        return next(iter(self.ranks.values())).track if len(self.ranks) == 1 else self.folded

    def tracks(self) -> list[Track]:
        tracks = [rank.track for rank in self.ranks.values()]
        return tracks if self.folded is None else [*tracks, self.folded]

    def evictable(self) -> list[Track]:
        """Tracks with rows that may go; rows that the slowest rank still has to meet go last."""
        tracks = [track for track in self.tracks() if track.evictable()]
        if self.folded is None:
            return tracks
        met = self.folded.base + self.folded.size
        return [track for track in tracks if track.oldest <= met] or tracks


class History:
    """Fed with events in any amount; ``freeze`` hands out what there is, without a copy."""

    def __init__(self, budget: int = BUDGET) -> None:
        self.budget = budget
        self.skipped = 0
        """Events that could not be believed, or told of steps already known."""
        self._attempts: dict[int, _Attempt] = {}
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
        state = self._attempt(attempt)
        state.world_size = max(state.world_size, event.world_size)
        if state.begin is None:
            self._begin(attempt, state, event.from_step)
        self._view = None

    def add(self, attempt: int, rank: int, event: Steps) -> None:
        """Takes the steps of one rank; what cannot be believed is skipped and counted."""
        if not incoming.is_sound(event):
            self.skipped += 1
            return
        state = self._attempt(attempt)
        part = state.ranks.get(rank)
        if part is None:
            part = self._add_rank(attempt, state, rank, event.first)
        if event.first != part.next or event.names != part.names:
            fitting = self._fit(part, event)
            if fitting is None:
                self.skipped += 1
                return
            event = fitting
        part.waiting.append(event)
        part.next += event.count
        part.rows_waiting += event.count
        self._view = None
        if part.rows_waiting >= _PENDING_ROWS:
            self._settle(part)
            self._evict()

    def freeze(self) -> HistoryView:
        """What there is now; it never changes, whatever is added later."""
        if self._view is None:
            for state in self._attempts.values():
                for part in state.ranks.values():
                    self._settle(part)
                self._fold(state)
            self._evict()
            self._view = self._freeze()
        return self._view

    def _attempt(self, number: int) -> _Attempt:
        if number not in self._attempts:
            self._attempts[number] = _Attempt()
            self._attempts = dict(sorted(self._attempts.items()))
        return self._attempts[number]

    def _begin(self, number: int, state: _Attempt, step: int) -> None:
        """Sets where an attempt begins, and cuts what earlier ones did from there on."""
        bases = [part.track.base for part in state.ranks.values()]
        state.begin = min([step, *bases])
        for other, earlier in self._attempts.items():
            if other < number:
                self._cut(earlier, state.begin)
            elif other > number and earlier.begin is not None:
                self._cut(state, earlier.begin)

    def _cut(self, state: _Attempt, step: int) -> None:
        for part in state.ranks.values():
            self._settle(part)
        self._fold(state)
        for track in state.tracks():
            track.cut(max(0, step - track.base))

    def _add_rank(self, number: int, state: _Attempt, rank: int, first: int) -> _Rank:
        if state.begin is None:
            self._begin(number, state, first)
        part = _Rank(first if state.begin is None else state.begin)
        state.ranks[rank] = part
        state.ranks = dict(sorted(state.ranks.items()))
        self._limit(number, part.track)
        return part

    def _limit(self, number: int, track: Track) -> None:
        for other, later in self._attempts.items():
            if other > number and later.begin is not None:
                track.cut(max(0, later.begin - track.base))

    def _fit(self, part: _Rank, event: Steps) -> Steps | None:
        """What is new in an event that does not simply go on where the last one ended.

        Lost steps become rows of NaN. ``None`` where nothing is new, or too much is lost.
        """
        gap = event.first - part.next
        if gap > _LARGEST_GAP or -gap >= event.count or not self._knows(event.names):
            return None
        self._settle(part)
        part.names = event.names
        if gap < 0:
            return incoming.without_first(event, -gap)
        if gap > 0:
            ended = part.track.freeze().ended if part.track.size else event.since
            nothing = np.full((len(self._metrics), gap), np.nan, np.float32)
            part.track.append(np.linspace(ended, event.since, gap), event.since, nothing)
            part.next = event.first
        return event

    def _knows(self, names: tuple[str, ...]) -> bool:
        """Takes up metrics that are new; not where a name comes twice, or they become too many."""
        new = [name for name in names if name not in self._metrics]
        if len(set(names)) < len(names) or len(self._metrics) + len(new) > incoming.MOST_METRICS:
            return False
        self._metrics.extend(new)
        return True

    def _settle(self, part: _Rank) -> None:
        """Puts the waiting events of a rank into its track."""
        events = part.waiting
        if not events:
            return
        part.waiting = []
        part.rows_waiting = 0
        values = incoming.values(events)
        names = part.names
        seconds = values[names.index("step_seconds")] if "step_seconds" in names else None
        times, ended = incoming.times(events, seconds)
        if list(names) != self._metrics:
            every = np.full((len(self._metrics), values.shape[1]), np.nan, np.float32)
            every[[self._metrics.index(name) for name in names]] = values
            values = every
        part.track.append(times, ended, values)

    def _fold(self, state: _Attempt) -> None:
        """Brings ``all`` of several ranks up to the slowest of them."""
        if not state.complete or len(state.ranks) == 1:
            return
        tracks = [part.track.freeze() for part in state.ranks.values()]
        folded = state.folded
        if folded is None:
            folded = state.folded = Track(tracks[0].base)
            number = next(key for key, each in self._attempts.items() if each is state)
            self._limit(number, folded)
        slowest = min(track.size for track in tracks)
        while folded.size < slowest and folded.size != folded.limit:
            start = folded.size
            stop = min(slowest, start + _PENDING_ROWS)
            cube = np.empty((len(tracks), len(self._metrics), stop - start), np.float32)
            for rank, track in enumerate(tracks):
                for metric in range(len(self._metrics)):
                    cube[rank, metric] = track.metric(metric, start, stop)
            times: NDArray[np.float64] = tracks[0].times(np.arange(start, stop))
            ended = tracks[0].ended
            if stop < tracks[0].size:
                ended = float(tracks[0].times(np.array([stop]))[0])
            folded.append(times, ended, combine(self._metrics, cube))

    def _evict(self) -> None:
        """Lets go of the oldest rows, attempt by attempt, until the rest fits the budget."""
        tracks = [track for state in self._attempts.values() for track in state.tracks()]
        excess = sum(track.bytes for track in tracks) - self.budget
        if excess <= 0:
            return
        for state in self._attempts.values():
            for part in state.ranks.values():
                self._settle(part)
            self._fold(state)
            while excess > 0 and (able := state.evictable()):
                excess -= min(able, key=lambda track: track.oldest).evict()

    def _freeze(self) -> HistoryView:
        segments: dict[int | None, tuple[Segment, ...]] = {None: ()}
        steps = 0
        for state in self._attempts.values():
            whole = state.all()
            if whole is not None:
                _extend(segments, None, whole)
            for rank, part in state.ranks.items():
                _extend(segments, rank, part.track)
            steps = state.begin or 0
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
