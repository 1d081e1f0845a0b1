"""Finished steps as columns, on their way to the journal."""

from __future__ import annotations

import math
from array import array
from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from engine.journal.events import STEP_METRICS, Steps
from engine.journal.step_columns import DECODE, DEVICE_PARTS, HOST_PARTS, LAG, QUEUED, column
from engine.train.clocks import Timing

ROWS = 8192
"""Rows in one event at most."""
METRICS = (
    # The last of the common ones is the first of the host's parts.
    *STEP_METRICS,
    *(column(part) for part in (*HOST_PARTS[1:], *DEVICE_PARTS)),
    LAG,
    DECODE,
    QUEUED,
)
"""The columns that a step can have."""
_SECONDS = METRICS.index(column("step"))


class Loading(NamedTuple):
    """What the loader did for a step of this rank."""

    read: int = 0
    """Images, damaged ones included."""
    seconds: float = 0.0
    """Time spent reading them, wherever that was."""
    queued: int | None = None
    """Batches that were ready when this one was asked for."""


NO_LOADING = Loading()


@dataclass(frozen=True, slots=True)
class Row:
    """A finished step. ``loss_sum``, ``top1`` and ``top5`` are sums over ``images``."""

    step: int
    lr: float
    loss_sum: float
    top1: float
    top5: float
    images: float
    finite: bool
    """Of the tally: the step was made, and not skipped."""
    timing: Timing
    loading: Loading = NO_LOADING

    @property
    def good(self) -> bool:
        """Whether it trained on its images."""
        return self.finite and math.isfinite(self.loss_sum)

    @property
    def lost(self) -> str:
        """Of a step that is not good, what is not finite, as far as this rank sees it."""
        return "gradient" if math.isfinite(self.loss_sum) else "loss"

    def values(self) -> tuple[float, ...]:
        """In the order of ``METRICS``; NaN is not measured."""
        images, timing, loading = self.images or math.nan, self.timing, self.loading
        return (
            self.loss_sum / images if math.isfinite(self.loss_sum) else math.nan,
            self.top1 / images,
            self.top5 / images,
            self.lr,
            self.images,
            timing.seconds,
            *timing.host,
            *timing.device,
            timing.lag,
            loading.seconds / loading.read if loading.read else math.nan,
            math.nan if loading.queued is None else loading.queued,
        )


@dataclass(slots=True)
class _Block:
    """Rows without a gap in time, not written yet."""

    first: int
    since: float
    columns: list[array[float]] = field(default_factory=lambda: [array("f") for _ in METRICS])

    def __len__(self) -> int:
        return len(self.columns[0])


class Rows:
    """Steps that wait to be written, in order; whoever uses it holds a lock."""

    def __init__(self) -> None:
        self._blocks: deque[_Block] = deque()

    def append(self, row: Row, *, gap: bool) -> None:
        """``gap``: the step does not begin where the one before it ended."""
        last = self._blocks[-1] if self._blocks else None
        if last is None or gap or len(last) >= ROWS:
            last = _Block(first=row.step, since=row.timing.began)
            self._blocks.append(last)
        for values, value in zip(last.columns, row.values(), strict=True):
            values.append(value)

    def peek(self) -> Steps | None:
        """The oldest rows as one event; a column that none of them has is left out."""
        if not self._blocks:
            return None
        block = self._blocks[0]
        count = min(len(block), ROWS)
        kept = {
            name: values[:count]
            for name, values in zip(METRICS, block.columns, strict=True)
            if name in STEP_METRICS or _is_known(values[:count])
        }
        return Steps(
            first=block.first,
            count=count,
            since=block.since,
            names=tuple(kept),
            columns=tuple(map(_little_endian, kept.values())),
        )

    def written(self, steps: Steps) -> None:
        """The event that ``peek`` gave need not be kept; rows may have come since."""
        block = self._blocks[0]
        if len(block) == steps.count:
            self._blocks.popleft()
            return
        block.since += math.fsum(block.columns[_SECONDS][: steps.count])
        block.first += steps.count
        for values in block.columns:
            del values[: steps.count]


def _is_known(values: array[float]) -> bool:
    """Whether any of these was measured."""
    return bool(np.isfinite(np.frombuffer(values, np.float32)).any())


def _little_endian(values: array[float]) -> bytes:
    if _BIG_ENDIAN:
        values.byteswap()
    return values.tobytes()


_BIG_ENDIAN = array("H", [1]).tobytes() != b"\x01\x00"
