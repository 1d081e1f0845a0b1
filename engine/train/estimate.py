"""How long an epoch will take, told by its first steps."""

from __future__ import annotations

from engine.journal.events import EpochEstimated
from engine.train.rows import Row

MOST, FEWEST = 10, 2
"""Steps after the first one that an estimate is made from."""


class Estimate:
    """(Images / batch) x time per batch: the mean over the first steps but the very first one,
    which waits for workers and is where libraries make their choices.

    A quarter of a short epoch is enough, so that there is something left to estimate.
    """

    def __init__(self, epoch: int, sizes: tuple[int, ...]) -> None:
        """``sizes``: of the batches that the epoch will have."""
        self.seconds: float | None = None
        """The estimate, once there is one."""
        self._epoch = epoch
        self._batches = sum(sizes) / max(sizes, default=1)
        self._wanted = max(FEWEST, min(MOST, len(sizes) // 4))
        self._possible = len(sizes) > 1 + self._wanted
        self._seen = -1
        self._spent = 0.0

    def step(self, row: Row) -> EpochEstimated | None:
        """A step more; an event when the last one that is needed is in."""
        self._seen += 1
        if self._seen == 0 or not self._possible or self.seconds is not None:
            return None
        self._spent += row.timing.seconds
        if self._seen < self._wanted:
            return None
        self.seconds = self._batches * self._spent / self._wanted
        return EpochEstimated(epoch=self._epoch, seconds=self.seconds, steps=self._wanted)
