"""Clocks and numbers of every step, without ever waiting for the device.

The training thread marks the parts of a step and leaves its tally in one of 256 slots of pinned
memory, copied there behind the step's own work. Another thread (the recorder's) asks the device
whether the copy has happened, without waiting, and turns finished slots into columns::

    training thread     begin  loaded  mark  mark  mark  end -> slot 7 ... slot 8 ... slot 9 ...
    recorder's thread                 harvest: slot 7 finished? -> a row of the columns

Only where all slots are full does the training thread wait: for a device 256 steps behind.
"""

from __future__ import annotations

import math
import threading
from array import array
from bisect import bisect_left
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from engine.journal.events import STEP_METRICS, Heartbeat, Memory, Steps
from engine.train.clocks import PARTS, Clock
from engine.train.memory import memory
from engine.train.metrics import FINITE, TALLY
from engine.train.place import Place
from engine.train.running_sums import EpochSums, RunningSums

SLOTS = 256
ROWS = 8192
"""Rows in one event at most."""
METRICS = (*STEP_METRICS, *(f"{part}_seconds" for part in PARTS))
"""The columns of a step: the common ones, and the device's time by part of the step. What is
left of ``step_seconds`` after the parts is the device's idle time, waiting for data included."""


@dataclass(slots=True)
class _Slot:
    """What the training thread knows about a step when it has launched it."""

    tally: Tensor
    applied: Tensor
    """The place in ``tally`` that says whether the update was applied: a view made once, because
    indexing a tensor costs the training thread three times as much as the copy."""
    step: int = 0
    lr: float = 0.0
    wait: float = 0.0
    gap: bool = False


@dataclass(slots=True)
class _Block:
    """Finished rows without a gap in time, not written yet."""

    first: int
    since: float
    columns: list[array[float]] = field(default_factory=lambda: [array("f") for _ in METRICS])

    def __len__(self) -> int:
        return len(self.columns[0])


class Telemetry:
    """The steps of one rank: see the top of the file. It is the ``Source`` of a recorder."""

    def __init__(
        self,
        device: torch.device,
        clock: Clock,
        tolerance: int = 1,
        *,
        beats: bool = False,
        others: Sequence[torch.device] = (),
    ) -> None:
        """``tolerance``: so many steps in a row that are not finite end the training.

        ``others``: devices whose memory counts as well, where one process has several.
        ``beats``: other ranks depend on this one, so it says where it stands while it is slow.
        """
        self.place = Place()
        self.clock = clock
        clock.place = self.place
        self._beats = beats
        self._beaten = -1
        self._device = device
        self._devices = tuple(dict.fromkeys((device, *others)))
        self._tolerance = tolerance
        pinned = device.type == "cuda"
        ring = torch.zeros(SLOTS, TALLY, pin_memory=pinned)
        self._slots = [
            _Slot(tally=ring[index], applied=ring[index][FINITE]) for index in range(SLOTS)
        ]
        self._launched = 0
        self._harvested = 0
        self._lock = threading.Lock()
        self._blocks: deque[_Block] = deque()
        self._gap = True
        self._step = 0
        self._lr = 0.0
        self._wait = 0.0
        self._sums = RunningSums()
        self._bad_in_a_row = 0
        self._skipped: list[int] = []
        self.not_finite: tuple[int, float] | None = None
        """Step and learning rate at which training went wrong; seen some steps later."""

    # The training thread's half.

    def begin_epoch(self) -> None:
        """Before the first ``begin`` of an epoch, when the device has nothing to do."""
        self.clock.anchor()
        self._gap = True
        self._sums = RunningSums()

    def begin(self, step: int, lr: float) -> None:
        """Before ``next(loader)``."""
        if self._launched - self._harvested >= SLOTS:
            # For the oldest step alone: a device that is waited for to the end runs dry.
            self._take(rows=self._launched - SLOTS + 1)
        self._step, self._lr = step, lr
        self.place.begin(step)
        self.clock.begin(self._launched % SLOTS)

    def loaded(self) -> None:
        """After ``next(loader)``."""
        self._wait = self.clock.loaded()
        self.place.at("meeting the other ranks")

    def end(self, tally: Tensor, applied: Tensor | None) -> None:
        """After the update. ``applied`` is 1 on the device where it was not skipped."""
        slot = self._slots[self._launched % SLOTS]
        slot.tally.copy_(tally, non_blocking=True)
        if applied is not None:
            slot.applied.copy_(applied, non_blocking=True)
        self.clock.end()
        slot.step, slot.lr, slot.wait, slot.gap = self._step, self._lr, self._wait, self._gap
        self._gap = False
        self._launched += 1

    def finish_epoch(self) -> EpochSums:
        """The sums since ``begin_epoch``; waits until the device has finished its steps."""
        self._take(rows=self._launched)
        return self._sums.result()

    def skipped_before(self, step: int) -> int:
        """How many steps before ``step`` were skipped; waits until they are finished."""
        self._take(rows=self._launched - (self._step + 1 - step) if step > 0 else 0)
        return bisect_left(self._skipped, step)

    # The recorder's half.

    def harvest(self) -> None:
        if self._device.type == "cuda":
            # A thread begins on the first GPU, and would take memory there to ask another one.
            torch.cuda.set_device(self._device)
        self._take(rows=0)

    def peek(self) -> Steps | None:
        with self._lock:
            if not self._blocks:
                return None
            block = self._blocks[0]
            count = min(len(block), ROWS)
            return Steps(
                first=block.first,
                count=count,
                since=block.since,
                names=METRICS,
                columns=tuple(_little_endian(column[:count]) for column in block.columns),
            )

    def written(self, steps: Steps) -> None:
        with self._lock:
            block = self._blocks[0]
            if len(block) == steps.count:
                self._blocks.popleft()
                return
            seconds = block.columns[METRICS.index("step_seconds")]
            block.since += math.fsum(seconds[: steps.count])
            block.first += steps.count
            for column in block.columns:
                del column[: steps.count]

    def memory(self) -> Memory:
        return memory(*self._devices)

    def heartbeat(self) -> Heartbeat | None:
        """Where the training thread stands, if no step was finished since the last call."""
        before, self._beaten = self._beaten, self._harvested
        if not self._beats or before != self._harvested:
            return None
        return self.place.heartbeat()

    def _take(self, *, rows: int) -> None:
        """Turns finished slots into rows; waits until ``rows`` steps have been taken."""
        with self._lock:
            while self._harvested < self._launched:
                index = self._harvested % SLOTS
                if self._harvested < rows:
                    self.clock.wait(index)
                elif not self.clock.finished(index):
                    return
                self._row(self._slots[index], index)
                self._harvested += 1

    def _row(self, slot: _Slot, index: int) -> None:
        timing = self.clock.read(index)
        loss_sum, top1, top5, count, finite = slot.tally.tolist()
        images = count or math.nan
        good = finite == 1.0 and math.isfinite(loss_sum)
        row = (
            loss_sum / images if math.isfinite(loss_sum) else math.nan,
            top1 / images,
            top5 / images,
            slot.lr,
            count,
            timing.seconds,
            slot.wait,
            *timing.parts,
        )
        last = self._blocks[-1] if self._blocks else None
        if last is None or slot.gap or len(last) >= ROWS:
            last = _Block(first=slot.step, since=timing.began)
            self._blocks.append(last)
        for column, value in zip(last.columns, row, strict=True):
            column.append(value)
        self._sums.add(loss_sum, top1, top5, count, slot.wait, good=good)
        self._bad_in_a_row = 0 if good else self._bad_in_a_row + 1
        # A skipped step is skipped on every rank; a loss may be known to one of them alone.
        if finite != 1.0 if self._tolerance > 1 else not good:
            self._skipped.append(slot.step)
        if self._bad_in_a_row >= self._tolerance and self.not_finite is None:
            self.not_finite = (slot.step, slot.lr)


def _little_endian(column: array[float]) -> bytes:
    if _BIG_ENDIAN:
        column.byteswap()
    return column.tobytes()


_BIG_ENDIAN = array("H", [1]).tobytes() != b"\x01\x00"
