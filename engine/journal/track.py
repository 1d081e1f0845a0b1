"""The steps of one rank in one attempt: rows, a pyramid over them, and when each row began."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.journal import levels
from engine.journal.columns import Columns, FrozenColumns
from engine.journal.levels import FAN_OUT, FIELDS

Floats = NDArray[np.float32]

BLOCK_ROWS = 4096
BLOCK_STRETCHES = 1024
LEVELS = 4
"""The coarsest stretch is 32**4 rows: a hundred million steps are then a hundred of them."""

_TIME = 0
"""The first column of the rows: seconds since the anchor of the row's 32; metrics follow."""


@dataclass(frozen=True, slots=True, eq=False)
class TrackView:
    """A track as it was. Rows count from 0; row ``i`` is the step ``base + i``."""

    base: int
    size: int
    rows: FrozenColumns
    levels: tuple[FrozenColumns, ...]
    anchors: NDArray[np.float64]
    """When every 32nd row began (Unix, seconds)."""
    begun: float
    """When row 0 began."""
    ended: float
    """When the last row ended."""

    @property
    def kept_from(self) -> int:
        """The step of the first row that is still in memory."""
        return self.base + min(self.rows.kept_from, self.size)

    @property
    def end(self) -> int:
        """The step after the last."""
        return self.base + self.size

    def metric(self, metric: int, start: int, stop: int) -> Floats:
        """Rows ``start`` to ``stop`` of a metric; NaN where they were evicted."""
        return self.rows.read(start, stop, metric + 1)

    def times(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """When each of these rows began, in order; between anchors where rows were evicted."""
        bucket = rows // FAN_OUT
        anchors = self.anchors[bucket]
        following = np.minimum(bucket + 1, (self.size - 1) // FAN_OUT)
        result = anchors + (self.anchors[following] - anchors) * (rows % FAN_OUT / FAN_OUT)
        kept = np.searchsorted(rows, self.rows.kept_from)
        if kept < len(rows):
            first = int(rows[kept])
            offsets = self.rows.read(first, int(rows[-1]) + 1, _TIME)
            result[kept:] = anchors[kept:] + offsets[rows[kept:] - first]
        return result

    def row_at(self, time: float) -> int:
        """The first row that began at or after ``time``; ``size`` where none did."""
        bucket = int(np.searchsorted(self.anchors[: -(-self.size // FAN_OUT)], time))
        if bucket == 0:
            return 0
        first = (bucket - 1) * FAN_OUT
        rows = np.arange(first, min(first + FAN_OUT, self.size))
        return first + int(np.searchsorted(self.times(rows), time))

    def stretches(
        self, metric: int, start: int, stop: int, level: int = LEVELS
    ) -> list[tuple[NDArray[np.int64], Floats]]:
        """Rows ``start`` to ``stop`` as (first rows, (5, n)) pieces, in order.

        The middle comes from ``level``, what is left on both sides from finer ones. Rows that were
        evicted come as the 32 they lie in.
        """
        if start >= stop:
            return []
        if level == 0:
            return self._finest(metric, start, stop)
        width = FAN_OUT**level
        low, high = -(-start // width), stop // width
        if low >= high:
            return self.stretches(metric, start, stop, level - 1)
        middle = self.levels[level - 1].read(low, high, metric)
        return [
            *self.stretches(metric, start, low * width, level - 1),
            (np.arange(low, high) * width, middle),
            *self.stretches(metric, high * width, stop, level - 1),
        ]

    def _finest(self, metric: int, start: int, stop: int) -> list[tuple[NDArray[np.int64], Floats]]:
        pieces = []
        kept = min(max(start, self.rows.kept_from), stop)
        if start < kept:
            # Complete ones alone: the others may hold rows that a resume has cut away.
            low, high = start // FAN_OUT, min(-(-kept // FAN_OUT), self.size // FAN_OUT)
            if low < high:
                coarse = self.levels[0].read(low, high, metric)
                pieces.append((np.arange(low, high) * FAN_OUT, coarse))
        if kept < stop:
            fine = levels.of_single(self.metric(metric, kept, stop))
            pieces.append((np.arange(kept, stop), fine))
        return pieces


class Track:
    """Grows by whole rows; a view taken earlier keeps answering as it did."""

    def __init__(self, base: int) -> None:
        self.base = base
        self.size = 0
        self.limit: int | None = None
        self._rows = Columns((), BLOCK_ROWS)
        self._levels = [Columns((FIELDS,), BLOCK_STRETCHES) for _ in range(LEVELS)]
        self._anchors = np.empty(64)
        self._latest = -np.inf
        self._ended = 0.0
        self._view: TrackView | None = None

    @property
    def bytes(self) -> int:
        """What the rows take; the pyramid over them is never evicted, and a tenth of that."""
        return self._rows.bytes

    def append(self, times: NDArray[np.float64], ended: float, values: Floats) -> None:
        """Adds rows: when each began, when the last ended, values of shape (metrics, rows)."""
        count = values.shape[1]
        if self.limit is not None and self.size + count > self.limit:
            count = max(0, self.limit - self.size)
            ended = float(times[count]) if count < len(times) else ended
            times, values = times[:count], values[:, :count]
        if not count:
            return
        # A clock that was set back must not make the axis run backwards.
        times = np.maximum.accumulate(np.maximum(times, self._latest))
        self._latest = float(times[-1])
        self._ended = max(ended, self._latest)
        block = np.empty((values.shape[0] + 1, count), np.float32)
        block[1:] = values
        block[_TIME] = self._offsets(times)
        self._rows.append(block)
        self.size += count
        self._raise_levels()
        self._view = None

    def cut(self, rows: int) -> None:
        """Ends the track before row ``rows``: later rows do not count, nor will any be added."""
        if self.limit is not None and self.limit <= rows:
            return
        if rows < self.size:
            if rows:
                self._ended = float(self.freeze().times(np.array([rows]))[0])
            self.size = rows
            self._rows.drop_after(rows)
            self._view = None
        self.limit = rows

    def evictable(self) -> int:
        """Blocks of rows that may go: all but the one with the last row."""
        return max(0, (self.size - 1) // BLOCK_ROWS - self._rows.first)

    def evict(self) -> int:
        """Lets go of the oldest block of rows and returns its bytes."""
        freed = self._rows.blocks[0].nbytes
        self._rows.evict(1)
        self._view = None
        return freed

    @property
    def oldest(self) -> int:
        """The step after the oldest block of rows in memory."""
        return self.base + (self._rows.first + 1) * BLOCK_ROWS

    def freeze(self) -> TrackView:
        """A view of what is there now; the same one until something changes."""
        if self._view is None:
            self._view = TrackView(
                base=self.base,
                size=self.size,
                rows=self._rows.freeze(),
                levels=tuple(level.freeze() for level in self._levels),
                anchors=self._anchors,
                begun=float(self._anchors[0]) if self.size else 0.0,
                ended=self._ended,
            )
        return self._view

    def _offsets(self, times: NDArray[np.float64]) -> NDArray[np.float64]:
        """Seconds since each row's anchor; sets the anchors of the rows to come."""
        rows = np.arange(self.size, self.size + len(times))
        if rows[-1] // FAN_OUT >= len(self._anchors):
            larger = np.empty(2 * int(rows[-1]) // FAN_OUT + 64)
            larger[: len(self._anchors)] = self._anchors
            self._anchors = larger
        first = -self.size % FAN_OUT
        anchored = times[first::FAN_OUT]
        at = -(-self.size // FAN_OUT)
        self._anchors[at : at + len(anchored)] = anchored
        return times - self._anchors[rows // FAN_OUT]

    def _raise_levels(self) -> None:
        """Adds the stretches that became complete."""
        finer, size = self._rows, self.size
        for number, level in enumerate(self._levels):
            complete = size // FAN_OUT
            while level.size < complete:
                block, start = divmod(level.size * FAN_OUT, finer.length)
                stop = min(finer.length, complete * FAN_OUT - block * finer.length)
                source = finer.blocks[block - finer.first]
                if number == 0:
                    level.append(levels.of_rows(source[1:, start:stop]))
                else:
                    level.append(levels.of_stretches(source[..., start:stop]))
            finer, size = level, complete
