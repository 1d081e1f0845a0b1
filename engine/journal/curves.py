"""Step columns of a run as they were at one moment: what charts and numbers are read from."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.journal import levels
from engine.journal.track import LEVELS, TrackView

Axis = Literal["step", "time", "epoch"]

PER_COLUMN = 4
"""Buckets per chart column, at least; fewer than twice as many, but for the edges."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Buckets:
    """Consecutive stretches of one metric, at most a few per chart column.

    ``x`` is where each begins on the asked-for axis (float64); ``low``, ``high``, ``mean``,
    ``std`` over its finite values, and ``count`` how many those are (0: the rest is NaN).
    """

    x: NDArray[np.float64]
    low: NDArray[np.float32]
    high: NDArray[np.float32]
    mean: NDArray[np.float32]
    std: NDArray[np.float32]
    count: NDArray[np.int64]


class Segment(NamedTuple):
    """What counts of one attempt, and where it lies on the time axis."""

    track: TrackView
    seconds: float
    """Training time of the segments before."""

    @property
    def ended(self) -> float:
        return self.seconds + self.track.ended - self.track.begun


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HistoryView:
    """A history as it was at one moment. ``rank=None`` means all ranks, up to the slowest.

    A view equals itself alone: where nothing changed, the same one is handed out again.
    """

    metrics: tuple[str, ...] = ()
    ranks: tuple[int, ...] = ()
    steps: int = 0
    """Steps that every rank finished: the number of the next one."""
    rows_kept_from: int = 0
    """From this step on ``rows`` has every row of ``all``."""
    epoch_length: int | None = None
    """Steps per epoch."""
    segments: dict[int | None, tuple[Segment, ...]] = field(default_factory=dict, repr=False)

    def last(self, metric: str, rank: int | None = None) -> float | None:
        """The value of the newest step; ``None`` where it was not measured or is not finite."""
        segments, index = self.segments.get(rank, ()), self._index(metric)
        if not segments or index is None:
            return None
        track = segments[-1].track
        value = float(track.metric(index, track.size - 1, track.size)[0])
        return None if math.isnan(value) else value

    def mean(self, metric: str, last_n: int, rank: int | None = None) -> float | None:
        """Over the finite values of the newest ``last_n`` steps; ``None`` where there are none."""
        index = self._index(metric)
        if index is None:
            return None
        total = count = 0.0
        for segment in reversed(self.segments.get(rank, ())):
            track = segment.track
            start = max(0, track.size - last_n)
            last_n -= track.size - start
            for _, piece in track.stretches(index, start, track.size):
                there = piece[levels.COUNT] > 0
                counts = piece[levels.COUNT, there].astype(np.float64)
                total += float(counts @ piece[levels.MEAN, there])
                count += float(counts.sum())
        return total / count if count else None

    def total_seconds(self) -> float:
        """Training time of everything that counts, gaps between attempts closed."""
        segments = self.segments.get(None, ())
        return segments[-1].ended if segments else 0.0

    def extent(self, axis: Axis) -> tuple[float, float] | None:
        """From where the first step begins to where the last ends; ``None`` before there is one."""
        segments = self.segments.get(None, ())
        if not segments or (axis == "epoch" and not self.epoch_length):
            return None
        return self.at(axis, segments[0].track.base), self.at(axis, segments[-1].track.end)

    def at(self, axis: Axis, step: float) -> float:
        """Where a step begins on an axis, the ends of the axis at most; NaN while unknown."""
        if axis == "step":
            return step
        if axis == "epoch":
            return step / self.epoch_length if self.epoch_length else math.nan
        segments = self.segments.get(None, ())
        if not segments:
            return math.nan
        # The end of a segment is where its last step ends, not where the next segment begins.
        segment = next((each for each in segments if step <= each.track.end), segments[-1])
        return _seconds_at(segment, step)

    def buckets(
        self,
        metric: str,
        axis: Axis,
        low: float,
        high: float,
        columns: int,
        rank: int | None = None,
    ) -> Buckets:
        """What lies between ``low`` and ``high`` (both included) on an axis, for a chart.

        At least four buckets per column where there are so many rows; else one per row.
        """
        index = self._index(metric)
        parts = []
        for segment in self.segments.get(rank, ()) if index is not None else ():
            start, stop = self._range(segment, axis, low, high)
            if start < stop:
                parts.append((segment, start, stop))
        rows = sum(stop - start for _, start, stop in parts)
        if index is None or not rows:
            return _buckets([], [], [])
        power = max(0, (rows // (PER_COLUMN * max(1, columns))).bit_length() - 1)
        x, statistics, counts = [], [], []
        for segment, start, stop in parts:
            pieces = segment.track.stretches(index, start, stop, min(power // 5, LEVELS))
            if not pieces:
                continue
            firsts = np.concatenate([first for first, _ in pieces])
            values = np.concatenate([piece for _, piece in pieces], axis=1)
            group = firsts >> power
            begins = np.flatnonzero(np.diff(group, prepend=-1))
            grouped, count = levels.group(values, begins)
            x.append(self._positions(segment, axis, firsts[begins]))
            statistics.append(grouped)
            counts.append(count)
        return _buckets(x, statistics, counts)

    def rows(
        self, metric: str, first: int, last: int, rank: int | None = None
    ) -> NDArray[np.float32]:
        """The values of the steps ``first`` to ``last`` (excluded), as far as they are kept.

        The first value is of step ``max(first, kept)``, where ``kept`` is ``rows_kept_from`` or,
        for one rank, what is kept of it; steps past the newest are left out.
        """
        segments, index = self.segments.get(rank, ()), self._index(metric)
        if not segments or index is None:
            return np.empty(0, np.float32)
        first = max(first, kept_from(segments))
        pieces = [
            track.metric(
                index, max(first, track.base) - track.base, min(last, track.end) - track.base
            )
            for track, _ in segments
            if max(first, track.base) < min(last, track.end)
        ]
        return np.concatenate(pieces) if pieces else np.empty(0, np.float32)

    def _index(self, metric: str) -> int | None:
        return self.metrics.index(metric) if metric in self.metrics else None

    def _range(self, segment: Segment, axis: Axis, low: float, high: float) -> tuple[int, int]:
        """The rows of a segment that begin between ``low`` and ``high``."""
        track = segment.track
        if axis == "time":
            shift = track.begun - segment.seconds
            return track.row_at(low + shift), track.row_at(np.nextafter(high + shift, np.inf))
        if axis == "epoch":
            if not self.epoch_length:
                return 0, 0
            low, high = low * self.epoch_length, high * self.epoch_length
        return _row(track, math.ceil, low), _row(track, lambda x: math.floor(x) + 1, high)

    def _positions(
        self, segment: Segment, axis: Axis, rows: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        track = segment.track
        if axis == "time":
            return track.times(rows) - track.begun + segment.seconds
        steps = (rows + track.base).astype(np.float64)
        return steps / self.epoch_length if axis == "epoch" and self.epoch_length else steps


def kept_from(segments: tuple[Segment, ...]) -> int:
    """The step from which on every row is in memory, without a hole between segments."""
    if not segments:
        return 0
    kept = segments[-1].track.kept_from
    for earlier, later in reversed(list(pairwise(segments))):
        if kept > later.track.base or earlier.track.end < later.track.base:
            break
        kept = earlier.track.kept_from
    return kept


def _seconds_at(segment: Segment, step: float) -> float:
    """Where a step begins on the time axis, between two steps in proportion."""
    track = segment.track
    row = min(max(step - track.base, 0.0), float(track.size))
    whole = min(int(row), track.size - 1)
    following = min(whole + 1, track.size - 1)
    begins, ends = track.times(np.array([whole, following]))
    if following == whole:
        ends = track.ended
    return float(begins + (ends - begins) * (row - whole)) - track.begun + segment.seconds


def _row(track: TrackView, rounded: Callable[[float], int], step: float) -> int:
    """A step as a row of the track, ``rounded`` up or down, from 0 to its size."""
    near = min(max(step, track.base - 1.0), track.end + 1.0)
    return min(max(rounded(near) - track.base, 0), track.size)


def _buckets(
    x: list[NDArray[np.float64]],
    statistics: list[NDArray[np.float32]],
    counts: list[NDArray[np.int64]],
) -> Buckets:
    if not x:
        none = np.empty(0, np.float32)
        empty = np.empty(0, np.float64)
        return Buckets(x=empty, low=none, high=none, mean=none, std=none, count=empty.astype(int))
    values = np.concatenate(statistics, axis=1)
    return Buckets(
        x=np.concatenate(x),
        low=values[levels.LOW],
        high=values[levels.HIGH],
        mean=values[levels.MEAN],
        std=values[levels.STD],
        count=np.concatenate(counts),
    )
