"""The ranks of one attempt: a track each, and one for all of them together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from engine.journal import incoming
from engine.journal.events import Steps
from engine.journal.track import Track

Floats = NDArray[np.float32]

PENDING_ROWS = 4096
"""Rows that wait at most until they are decoded together."""

WEIGHTED = ("loss", "top1", "top5")
"""Means over a rank's images: over ranks they are weighted by images."""

SLOWEST = ("step_seconds", "wait_seconds", "starved_seconds")
"""Times that the other ranks spend waiting: over ranks the longest."""


class Rank:
    """The track of one rank, and the events that wait to be put into it."""

    def __init__(self, base: int) -> None:
        self.track = Track(base)
        self.next = base
        """The step that should come next."""
        self.names: tuple[str, ...] = ()
        self._waiting: list[Steps] = []
        self._rows_waiting = 0

    def take(self, event: Steps) -> bool:
        """Takes an event that fits; whether so much waits that it should be settled."""
        self._waiting.append(event)
        self.next += event.count
        self._rows_waiting += event.count
        return self._rows_waiting >= PENDING_ROWS

    def settle(self, metrics: Sequence[str]) -> None:
        """Puts what waits into the track; ``metrics`` are the columns of every track."""
        events, names = self._waiting, self.names
        if not events:
            return
        self._waiting = []
        self._rows_waiting = 0
        values = incoming.values(events)
        seconds = values[names.index("step_seconds")] if "step_seconds" in names else None
        times, ended = incoming.times(events, seconds)
        if list(names) != list(metrics):
            every = np.full((len(metrics), values.shape[1]), np.nan, np.float32)
            every[[metrics.index(name) for name in names]] = values
            values = every
        self.track.append(times, ended, values)

    def pass_over(self, step: int, since: float, metrics: int) -> None:
        """Fills what was lost before ``step``, which began at ``since``, with rows of NaN."""
        lost = step - self.next
        ended = self.track.freeze().ended if self.track.size else since
        nothing = np.full((metrics, lost), np.nan, np.float32)
        self.track.append(np.linspace(ended, since, lost), since, nothing)
        self.next = step


class Ranks:
    """All ranks of one attempt. ``begin`` is its first step, ``None`` until one is known."""

    def __init__(self, metrics: list[str]) -> None:
        """``metrics`` are the history's, and may grow."""
        self.begin: int | None = None
        self.world_size = 0
        self.by_rank: dict[int, Rank] = {}
        self._metrics = metrics
        self._folded: Track | None = None
        self._limit: int | None = None

    def add(self, rank: int, first: int) -> Rank:
        """A rank whose first event is about the step ``first``."""
        part = Rank(first if self.begin is None else self.begin)
        self.by_rank[rank] = part
        self.by_rank = dict(sorted(self.by_rank.items()))
        self._cut(part.track)
        return part

    def all(self) -> Track | None:
        """The track of all ranks: with one rank, that rank's own; ``None`` while one is missing."""
        if not self._complete:
            return None
        if len(self.by_rank) == 1:
            return next(iter(self.by_rank.values())).track
        return self._folded

    def tracks(self) -> list[Track]:
        tracks = [part.track for part in self.by_rank.values()]
        return tracks if self._folded is None else [*tracks, self._folded]

    def evictable(self) -> list[Track]:
        """Tracks with rows that may go; rows that the slowest rank still has to meet go last."""
        tracks = [track for track in self.tracks() if track.evictable()]
        if self._folded is None:
            return tracks
        met = self._folded.base + self._folded.size
        return [track for track in tracks if track.oldest <= met] or tracks

    def end_before(self, step: int) -> None:
        """A later attempt begins at ``step``: rows from there on do not count."""
        self.settle()
        self._limit = step if self._limit is None else min(step, self._limit)
        for track in self.tracks():
            self._cut(track)

    def settle(self) -> None:
        """Puts what waits into the tracks, and brings ``all`` up to the slowest rank."""
        for part in self.by_rank.values():
            part.settle(self._metrics)
        if self._complete and len(self.by_rank) > 1:
            self._fold([part.track for part in self.by_rank.values()])

    @property
    def _complete(self) -> bool:
        return 0 < len(self.by_rank) >= self.world_size

    def _cut(self, track: Track) -> None:
        if self._limit is not None:
            track.cut(max(0, self._limit - track.base))

    def _fold(self, tracks: list[Track]) -> None:
        if self._folded is None:
            self._folded = Track(tracks[0].base)
            self._cut(self._folded)
        folded = self._folded
        slowest = min(track.size for track in tracks)
        while folded.size < slowest and folded.size != folded.limit:
            start = folded.size
            stop = min(slowest, start + PENDING_ROWS)
            views = [track.freeze() for track in tracks]
            rows = np.stack(
                [
                    np.stack(
                        [view.metric(index, start, stop) for index in range(len(self._metrics))]
                    )
                    for view in views
                ]
            )
            # The time axis is the first rank's.
            first = views[0]
            times = first.times(np.arange(start, stop))
            ended = float(first.times(np.array([stop]))[0]) if stop < first.size else first.ended
            folded.append(times, ended, combine(self._metrics, rows))


def combine(metrics: Sequence[str], ranks: Floats) -> Floats:
    """Rows of several ranks (ranks, metrics, rows) as rows of all (metrics, rows).

    Loss and accuracies are weighted by images, images add up, a step is as slow as its slowest
    rank and waited for data as long as the one that waited longest, the learning rate is the first
    rank's, anything else is the mean. What a rank did not measure (NaN) does not count, nor what a
    rank without images says of a loss; what none measured stays NaN.
    """
    names = list(metrics)
    weights = None
    if "images" in names:
        weights = np.nan_to_num(ranks[:, names.index("images")].astype(np.float64))
    result = np.empty(ranks.shape[1:], np.float32)
    for number, name in enumerate(names):
        values = ranks[:, number]
        if name == "images":
            result[number] = _sum(values)
        elif name in SLOWEST:
            result[number] = np.fmax.reduce(values, axis=0)
        elif name == "lr":
            result[number] = _first(values)
        else:
            result[number] = _mean(values, weights if name in WEIGHTED else None)
    return result


def _sum(values: Floats) -> NDArray[np.float64]:
    total: NDArray[np.float64] = np.nansum(values.astype(np.float64), axis=0)
    total[np.isnan(values).all(axis=0)] = np.nan
    return total


def _first(values: Floats) -> Floats:
    there = np.argmax(~np.isnan(values), axis=0)
    first: Floats = np.take_along_axis(values, there[np.newaxis], axis=0)[0]
    return first


def _mean(values: Floats, weights: NDArray[np.float64] | None) -> NDArray[np.float64]:
    there = ~np.isnan(values)
    weight = there * (1.0 if weights is None else weights)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean: NDArray[np.float64] = np.where(there, values * weight, 0.0).sum(axis=0)
        mean /= weight.sum(axis=0)
    return mean
