"""What the steps of an epoch add up to, as they are taken from the device."""

from __future__ import annotations

from dataclasses import dataclass

from engine.train.metrics import Sums


@dataclass(frozen=True, slots=True)
class EpochSums:
    """Sums over the training part of an epoch; ``skipped`` steps are not in them."""

    sums: Sums
    wait_seconds: float
    skipped: int


class RunningSums:
    """Float64 sums over rows; a step that was not finite trained on nothing and adds nothing."""

    def __init__(self) -> None:
        self._totals = [0.0, 0.0, 0.0, 0.0]
        self._wait = 0.0
        self._skipped = 0

    def add(
        self, loss_sum: float, top1: float, top5: float, count: float, wait: float, *, good: bool
    ) -> None:
        self._wait += wait
        if not good:
            self._skipped += 1
            return
        for index, value in enumerate((loss_sum, top1, top5, count)):
            self._totals[index] += value

    def result(self) -> EpochSums:
        loss_sum, top1, top5, count = self._totals
        sums = Sums(loss_sum=loss_sum, top1=int(top1), top5=int(top5), images=int(count))
        return EpochSums(sums, self._wait, self._skipped)
