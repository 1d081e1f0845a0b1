"""Clocks and numbers of every step, without ever waiting for the device.

The training thread marks the parts of a step and leaves its tally in one of 256 slots of pinned
memory, copied there behind the step's own work. Another thread (the recorder's) asks the device
whether the copy has happened, without waiting, and turns finished slots into columns::

    training thread     begin  loaded  mark  mark  mark  end -> slot 7 ... slot 8 ... slot 9 ...
    recorder's thread                 harvest: slot 7 finished? -> a row of the columns

Only where all slots are full does the training thread wait: for a device 255 steps behind. It
waits before images are asked for, so that the time is nobody's but the host's ``other``.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from engine.journal.events import Event, Heartbeat, Memory, Steps
from engine.train.clocks import Clock
from engine.train.estimate import Estimate
from engine.train.memory import Gauge
from engine.train.metrics import FINITE, TALLY
from engine.train.place import Place
from engine.train.rows import NO_LOADING, Loading, Row, Rows
from engine.train.running_sums import NO_SUMS, EpochSums, RunningSums
from engine.train.skips import Skips

SLOTS = 256

Observer = Callable[[Row], Event | None]
"""Sees a finished step, and may have something to say."""


@dataclass(slots=True)
class _Slot:
    """What the training thread knows about a step when it has launched it."""

    tally: Tensor
    applied: Tensor
    """The place in ``tally`` that says whether the update was applied: a view made once, because
    indexing a tensor costs the training thread three times as much as the copy."""
    step: int = 0
    lr: float = 0.0
    loading: Loading = NO_LOADING
    gap: bool = False


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
        observers: Sequence[Observer] = (),
        tell: Callable[[Event], None] | None = None,
    ) -> None:
        """``tolerance``: so many steps in a row that are not finite end the training.

        ``others``: devices whose memory counts as well, where one process has several.
        ``beats``: other ranks depend on this one, so it says where it stands while it is slow.
        ``observers`` see every finished step, from either thread; ``tell`` takes what they have to
        say, and returns at once.
        """
        self.place = Place()
        self.clock = clock
        clock.place = self.place
        self._beats = beats
        self._beaten = -1
        self._device = device
        self.gauge = Gauge(tuple(dict.fromkeys((device, *others))))
        self._observers = tuple(observers)
        self._tell = tell
        pinned = device.type == "cuda"
        ring = torch.zeros(SLOTS, TALLY, pin_memory=pinned)
        self._slots = [
            _Slot(tally=ring[index], applied=ring[index][FINITE]) for index in range(SLOTS)
        ]
        self._launched = 0
        self._harvested = 0
        self._lock = threading.Lock()
        self._rows = Rows()
        self._gap = True
        self._step = 0
        self._lr = 0.0
        self._loading = NO_LOADING
        self._estimate: Estimate | None = None
        self._sums = RunningSums()
        self._skips = Skips(tolerance)

    @property
    def not_finite(self) -> Row | None:
        """The step at which training went wrong; seen some steps later."""
        return self._skips.too_many

    # The training thread's half.

    def begin_epoch(
        self, estimate: Estimate | None = None, before: Mapping[str, Any] = NO_SUMS
    ) -> None:
        """Before the first ``begin`` of an epoch, when the device has nothing to do.

        From here on the epoch's time counts. ``before``: the sums of its steps that were made
        earlier, as ``state`` gave them.
        """
        self._estimate = estimate
        self._sums = RunningSums(before)
        self.go_on()

    def pause(self) -> None:
        """Waits until the device has finished its steps: ``state`` then knows all of them."""
        self._take(rows=self._launched)

    def go_on(self) -> None:
        """What was done since the last step, when the device has nothing to do, is no step's."""
        self.clock.anchor()
        self._gap = True

    def state(self) -> dict[str, Any]:
        """What a checkpoint must know of the steps so far; all of them must be finished."""
        with self._lock:
            return {"sums": self._sums.state(), **self._skips.state()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """The inverse of ``state``, but for the sums, which ``begin_epoch`` takes."""
        self._skips.restore(state)

    def begin(self, step: int, lr: float) -> None:
        """Before ``next(loader)``."""
        if self._launched - self._harvested >= SLOTS - 1:
            # The step to come ends where the step ``SLOTS - 1`` before it begins: in that one's
            # slot before. It waits for that step alone: a device that is waited for to the end
            # runs dry.
            self._take(rows=self._launched - SLOTS + 2)
        self._step, self._lr = step, lr
        self.place.begin(step)
        self.clock.begin(self._launched % SLOTS)

    def loaded(self, loading: Loading = NO_LOADING, images: int = 0) -> None:
        """After ``next(loader)``; ``images``: so many are computed here at once."""
        self.clock.loaded()
        self._loading = loading
        self.gauge.begin(images)

    def end(self, tally: Tensor, applied: Tensor | None) -> None:
        """After the update. ``applied`` is 1 on the device where it was not skipped."""
        slot = self._slots[self._launched % SLOTS]
        slot.tally.copy_(tally, non_blocking=True)
        if applied is not None:
            slot.applied.copy_(applied, non_blocking=True)
        self.clock.end()
        slot.step, slot.lr, slot.loading, slot.gap = self._step, self._lr, self._loading, self._gap
        self._gap = False
        self.gauge.end()
        self._launched += 1

    def finish_epoch(self) -> EpochSums:
        """The sums since ``begin_epoch``; waits until the device has finished its steps.

        That wait is after the last step of the host's ledger: in the sums it is ``other``.
        """
        began = time.perf_counter()
        self._take(rows=self._launched)
        return self._sums.result(waited=time.perf_counter() - began)

    def skipped_before(self, step: int) -> int:
        """How many steps before ``step`` were skipped; waits until they are finished."""
        self._take(rows=self._launched - (self._step + 1 - step) if step > 0 else 0)
        return self._skips.before(step)

    # The recorder's half.

    def harvest(self) -> None:
        if self._device.type == "cuda":
            # A thread begins on the first GPU, and would take memory there to ask another one.
            torch.cuda.set_device(self._device)
        self._take(rows=0)

    def peek(self) -> Steps | None:
        with self._lock:
            return self._rows.peek()

    def written(self, steps: Steps) -> None:
        with self._lock:
            self._rows.written(steps)

    def memory(self) -> Memory:
        return self.gauge.read()

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
        loss_sum, top1, top5, images, finite = slot.tally.tolist()
        row = Row(
            step=slot.step,
            lr=slot.lr,
            loss_sum=loss_sum,
            top1=top1,
            top5=top5,
            images=images,
            finite=finite == 1.0,
            timing=self.clock.read(index),
            loading=slot.loading,
        )
        self._rows.append(row, gap=slot.gap)
        self._sums.add(row)
        self._skips.note(row)
        self._tell_of(row)

    def _tell_of(self, row: Row) -> None:
        told = [each(row) for each in self._observers]
        if self._estimate is not None:
            told.append(self._estimate.step(row))
        for event in told:
            if event is not None and self._tell is not None:
                self._tell(event)
