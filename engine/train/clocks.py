"""Two clocks with one face: what a step took, on the host and on a device that runs behind it.

A step begins where the step before it ended; the first one of an epoch, where the clock was
anchored. Its marks follow one another: ``begin`` (images are asked for), ``loaded``, ``agreed``
where there are several ranks, then the end of each part that the loop and the strategy mark, in any
order and number, then ``end``. Both clocks read the host's time at them. For work on a device they
are events in its stream as well, so that its parts are the device's time; on a CPU the two are one.
See ``engine.journal.step_columns`` for what the parts mean.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Literal, NamedTuple, Protocol

import torch

from engine.journal.step_columns import DEVICE_PARTS, HOST_PARTS
from engine.train.host_steps import HostStep, add
from engine.train.place import Place

Part = Literal["copy", "forward", "backward", "exchange", "pipeline", "update"]
"""What is marked when it ends. ``pipeline``: forward and backward of a pipeline, whose
micro-batches mix the two."""

_STARVED, _PEERS = DEVICE_PARTS.index("starved"), DEVICE_PARTS.index("peers")
_LAUNCH = HOST_PARTS.index("launch")


class Timing(NamedTuple):
    """``began`` in Unix seconds; all else in seconds, NaN where it was not measured."""

    began: float
    seconds: float
    host: tuple[float, ...]
    """In the order of ``HOST_PARTS``."""
    device: tuple[float, ...]
    """In the order of ``DEVICE_PARTS``."""
    lag: float = math.nan


class Clock(Protocol):
    """Marks by the training thread; ``finished``, ``wait``, ``read`` by whoever harvests."""

    place: Place
    """Is told of every mark."""

    def anchor(self) -> None:
        """The next step begins now, and not where the last one ended; waits for the device."""

    def begin(self, slot: int) -> None:
        """Images are asked for."""

    def loaded(self) -> None:
        """They are here."""

    def agreed(self) -> None:
        """All ranks have theirs."""

    def mark(self, part: Part) -> None:
        """``part`` of the step ends here; times of a part that ends twice add up."""

    def end(self) -> None: ...

    def finished(self, slot: int) -> bool: ...

    def wait(self, slot: int) -> None: ...

    def read(self, slot: int) -> Timing:
        """Of a finished step; once each, in order, before the step ``slots - 1`` after it ends."""


class HostClock:
    """For a CPU, where work is finished when the call returns."""

    def __init__(self, slots: int) -> None:
        self.place = Place()
        self._steps = [HostStep() for _ in range(slots)]
        self._step = self._steps[0]
        self._ended = 0.0
        """When the last step ended, by ``perf_counter``."""
        self._offset = 0.0
        """From there to Unix seconds."""

    def anchor(self) -> None:
        self._ended = time.perf_counter()
        self._offset = time.time() - self._ended

    def begin(self, slot: int) -> None:
        self._step = self._steps[slot]
        self._step.begin(self._ended)

    def loaded(self) -> None:
        self._step.loaded()
        self.place.at("meeting the other ranks")

    def agreed(self) -> None:
        self._step.agreed()
        self.place.after("peers")

    def mark(self, part: Part) -> None:
        self._step.mark(part)
        self.place.after(part)

    def end(self) -> None:
        self._ended = self._step.end()

    def finished(self, slot: int) -> bool:
        return True

    def wait(self, slot: int) -> None:
        return

    def read(self, slot: int) -> Timing:
        step = self._steps[slot]
        # ``launch`` is the parts together.
        host = tuple(math.nan if k == _LAUNCH else each for k, each in enumerate(step.host()))
        return Timing(self._offset + step.began, step.seconds, host, tuple(step.parts))


class DeviceClock(HostClock):
    """For CUDA and MPS: events in the stream of the training, read when they have happened.

    A step's first event is the last one of the step before it, so a slot may be used again when
    the step *after* the one that had it has been read, not before.
    """

    def __init__(self, slots: int, device: torch.device) -> None:
        super().__init__(slots)
        self._device = device
        make: Callable[..., Any] = (
            torch.mps.event.Event if device.type == "mps" else torch.cuda.Event
        )
        self._make: Callable[[], Any] = partial(make, enable_timing=True)
        # Of each slot: end, loaded, agreed, and one for each mark, of which there may be many.
        self._events = [[self._make() for _ in range(3 + len(DEVICE_PARTS))] for _ in range(slots)]
        self._starts: list[Any] = [None] * slots
        self._marked: list[list[int]] = [[] for _ in range(slots)]
        self._together = [False] * slots
        self._anchor = self._make()
        self._start = self._anchor
        self._stream: tuple[Any, ...] = ()
        self._slot = 0
        self._reached = 0.0
        """How far the device's time was read, by ``perf_counter``: steps follow one another."""

    def anchor(self) -> None:
        if self._device.type == "cuda":
            # Marks may come from autograd's thread, which has a current stream of its own.
            self._stream = (torch.cuda.current_stream(self._device),)
        self._start = self._anchor
        self._record(self._anchor)
        self._anchor.synchronize()
        super().anchor()
        self._reached = self._ended

    def begin(self, slot: int) -> None:
        self._slot = slot
        self._starts[slot] = self._start
        self._marked[slot] = []
        self._together[slot] = False
        super().begin(slot)

    def loaded(self) -> None:
        super().loaded()
        self._record(self._events[self._slot][1])

    def agreed(self) -> None:
        super().agreed()
        self._together[self._slot] = True
        self._record(self._events[self._slot][2])

    def mark(self, part: Part) -> None:
        events, marked = self._events[self._slot], self._marked[self._slot]
        marked.append(DEVICE_PARTS.index(part))
        if len(events) < 3 + len(marked):
            events.append(self._make())
        self._record(events[2 + len(marked)])
        super().mark(part)

    def end(self) -> None:
        self._start = self._events[self._slot][0]
        self._record(self._start)
        super().end()

    def finished(self, slot: int) -> bool:
        return bool(self._events[slot][0].query())

    def wait(self, slot: int) -> None:
        self._events[slot][0].synchronize()

    def read(self, slot: int) -> Timing:
        step, start = self._steps[slot], self._starts[slot]
        end, loaded, agreed, *marks = self._events[slot]
        parts = [math.nan] * len(DEVICE_PARTS)
        parts[_STARVED] = _seconds(start, loaded)
        last = loaded
        if self._together[slot]:
            parts[_PEERS] = _seconds(loaded, agreed)
            last = agreed
        for part, event in zip(self._marked[slot], marks, strict=False):
            add(parts, part, _seconds(last, event))
            last = event
        began, seconds = self._reached, _seconds(start, end)
        self._reached += seconds
        lag = max(0.0, self._reached - step.ended)
        return Timing(self._offset + began, seconds, step.host(), tuple(parts), lag)

    def _record(self, event: Any) -> None:
        event.record(*self._stream)


def clock_for(device: torch.device, slots: int) -> Clock:
    return HostClock(slots) if device.type == "cpu" else DeviceClock(slots, device)


def _seconds(start: Any, end: Any) -> float:
    return float(start.elapsed_time(end)) / 1000.0
