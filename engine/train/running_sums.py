"""What the steps of an epoch add up to, as they are taken from the device."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

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


NO_SUMS: Mapping[str, Any] = {}


def of_all(states: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What several ranks know, as if one had done it all: times are of the slowest."""
    names = dict.fromkeys(name for each in states for name in each.get("seconds", {}))
    totals = zip(*(each["totals"] for each in states if each), strict=True)
    return {
        "totals": [math.fsum(values) for values in totals] or [0.0] * 4,
        "seconds": {
            name: max(each.get("seconds", {}).get(name, 0.0) for each in states) for name in names
        },
        "skipped": max((each.get("skipped", 0) for each in states), default=0),
        "read": sum(each.get("read", 0) for each in states),
        "read_seconds": math.fsum(each.get("read_seconds", 0.0) for each in states),
    }


class RunningSums:
    """Float64 sums over rows; a step that was not finite trained on nothing and adds nothing."""

    def __init__(self, before: Mapping[str, Any] = NO_SUMS) -> None:
        """``before``: what ``state`` gave of the steps before these."""
        self._totals = [float(each) for each in before.get("totals", (0.0,) * 4)]
        self._seconds: dict[str, float] = dict(before.get("seconds", {}))
        self._skipped = int(before.get("skipped", 0))
        self._read = int(before.get("read", 0))
        self._read_seconds = float(before.get("read_seconds", 0.0))

    def state(self) -> dict[str, Any]:
        """All that it knows, for a checkpoint."""
        return {
            "totals": list(self._totals),
            "seconds": dict(self._seconds),
            "skipped": self._skipped,
            "read": self._read,
            "read_seconds": self._read_seconds,
        }

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
