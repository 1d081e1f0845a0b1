"""What the steps of an epoch add up to, as they are taken from the device."""

from __future__ import annotations

import math
from dataclasses import dataclass

from engine.journal.step_columns import DEVICE_PARTS, HOST_PARTS, column
from engine.train.metrics import Sums
from engine.train.rows import Row

_STEP, _OTHER, _LAUNCH = column("step"), column("other"), column("launch")
_NAMES = (_STEP, *(column(part) for part in (*HOST_PARTS, *DEVICE_PARTS)))


@dataclass(frozen=True, slots=True)
class EpochSums:
    """Sums over the training part of an epoch; ``skipped`` steps are not in ``sums``."""

    sums: Sums
    seconds: dict[str, float]
    """Of all steps, by column; those that were measured."""
    skipped: int
    read: int
    read_seconds: float

    @property
    def wait_seconds(self) -> float:
        return self.seconds.get(column("wait"), 0.0)


class RunningSums:
    """Float64 sums over rows; a step that was not finite trained on nothing and adds nothing."""

    def __init__(self) -> None:
        self._totals = [0.0, 0.0, 0.0, 0.0]
        self._seconds: dict[str, float] = {}
        self._skipped = 0
        self._read = 0
        self._read_seconds = 0.0

    def add(self, row: Row) -> None:
        seconds = (row.timing.seconds, *row.timing.host, *row.timing.device)
        for name, value in zip(_NAMES, seconds, strict=True):
            if not math.isnan(value):
                self._seconds[name] = self._seconds.get(name, 0.0) + value
        self._read += row.loading.read
        self._read_seconds += row.loading.seconds
        if not row.good:
            self._skipped += 1
            return
        for index, value in enumerate((row.loss_sum, row.top1, row.top5, row.images)):
            self._totals[index] += value

    def result(self, waited: float = 0.0) -> EpochSums:
        """``waited``: seconds for which the host waited for a device that runs behind it."""
        loss_sum, top1, top5, count = self._totals
        sums = Sums(loss_sum=loss_sum, top1=int(top1), top5=int(top5), images=int(count))
        seconds = dict(self._seconds)
        if _LAUNCH in seconds:
            seconds[_OTHER] += waited
        return EpochSums(sums, seconds, self._skipped, self._read, self._read_seconds)
