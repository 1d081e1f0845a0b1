"""What a rank warns of by itself: a loader that starves it, and a loss that is no number."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

from engine.journal.events import Notice
from engine.journal.step_columns import DEVICE_PARTS, HOST_PARTS
from engine.train.rows import Row

WINDOW = 30.0
"""Seconds of training that are looked at."""
ENOUGH = 10.0
"""Seconds without which nothing is said."""
STARVING, WELL = 0.5, 0.4
"""Shares of the time at which a warning is given, and after which it may be given again."""

_STARVED, _WAIT = DEVICE_PARTS.index("starved"), HOST_PARTS.index("wait")


@dataclass(frozen=True, slots=True)
class Readers:
    """Who reads images: ``workers`` of the whole machine, as the user sets them, on ``cores``."""

    workers: int
    cores: int
    ranks: int = 1
    """That load images, as many each as this one."""


@dataclass(frozen=True, slots=True)
class _Step:
    seconds: float
    waited: float
    read: int
    reading: float


class Starving:
    """Warns once when more than half of the last time went to waiting for data, until that is
    well again. The first step does not count: it waits for workers to start."""

    def __init__(self, readers: Readers) -> None:
        self._readers = readers
        self._steps: deque[_Step] | None = None
        self._seconds = 0.0
        self._waited = 0.0
        self._told = False

    def step(self, row: Row) -> Notice | None:
        if self._steps is None:
            self._steps = deque()
            return None
        self._take(self._steps, row)
        share = self._waited / self._seconds if self._seconds > 0 else 0.0
        if share < WELL:
            self._told = False
        if self._told or share <= STARVING or self._seconds < ENOUGH:
            return None
        self._told = True
        return Notice(level="warning", code="starving", text=self._sentence(self._steps, share))

    def _take(self, steps: deque[_Step], row: Row) -> None:
        """Adds a step, and lets go of those before the window."""
        starved = row.timing.device[_STARVED]
        # On a CPU the device waits when the host does.
        waited = row.timing.host[_WAIT] if math.isnan(starved) else starved
        steps.append(_Step(row.timing.seconds, waited, row.loading.read, row.loading.seconds))
        self._seconds += row.timing.seconds
        self._waited += waited
        while self._seconds - steps[0].seconds >= WINDOW:
            gone = steps.popleft()
            self._seconds -= gone.seconds
            self._waited -= gone.waited

    def _sentence(self, steps: deque[_Step], share: float) -> str:
        read, reading = sum(each.read for each in steps), sum(each.reading for each in steps)
        rate = read * self._readers.ranks / self._seconds
        cost = f" at {1000 * reading / read:.1f} ms each" if read else ""
        workers, cores = self._readers.workers, self._readers.cores
        who = f"{workers} worker{'s' if workers != 1 else ''} read"
        if workers == 0:
            who = "the training thread itself reads"
            if self._readers.ranks > 1:
                who = "the ranks themselves read"
        change = f"raise --workers from {workers}"
        if workers >= cores:
            change = f"all {cores} cores read already: smaller image files, or a lower --image-size"
        return (
            f"{share:.0%} of the last {self._seconds:.0f} s went to waiting for data: {who} "
            f"{rate:.0f} images/s{cost}; {change}"
        )


class NotFinite:
    """Warns of the first step that is not finite as it should be, and of no other."""

    def __init__(self, *, skips: bool = False, scaled: bool = False) -> None:
        """``skips``: such steps are skipped. ``scaled``: in 16 bits, where gradients that overflow
        while the loss does not are nothing to be warned of: that is how a scale is found."""
        self._skips, self._scaled = skips, scaled
        self._told = False

    def step(self, row: Row) -> Notice | None:
        lost = not math.isfinite(row.loss_sum)
        skipped = self._skips and not row.finite
        if self._told or not (lost or (skipped and not self._scaled)):
            return None
        self._told = True
        where = f"step {row.step} is not a finite number, at learning rate {row.lr:.4g}"
        text = f"the {row.lost} of {where}"
        if skipped and self._scaled:
            text += "; the gradient scaler skipped the step and lowered its scale"
        elif skipped:
            text += "; the step was skipped: weights, averages and statistics are as before it"
        return Notice(level="warning", code="not-finite", text=text)
