"""Two clocks with one face: what a step took, on the host or on a device that runs behind it.

A step's marks follow one another: ``begin``, ``loaded``, then the end of each part that the loop
and the strategy mark, in any order and number, then ``end``. On a device they are events in its
stream, so that the parts are the device's time; on a CPU they are readings of the host's clock.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Literal, NamedTuple, Protocol, get_args

import torch

from engine.train.place import Place

Part = Literal["peers", "copy", "forward", "backward", "pipeline", "update"]
"""``peers``: until all ranks have their images; ``pipeline``: forward and backward of a pipeline,
whose micro-batches mix the two."""
PARTS: tuple[Part, ...] = get_args(Part)


class Timing(NamedTuple):
    """``began`` in Unix seconds; ``parts`` in the order of ``PARTS``, NaN where not marked."""

    began: float
    seconds: float
    parts: tuple[float, ...]


class Clock(Protocol):
    """Marks by the training thread; ``finished``, ``wait``, ``read`` by whoever harvests."""

    place: Place
    """Is told of every mark."""

    def anchor(self) -> None:
        """Ties the device's time to the wall clock; waits for the device."""

    def begin(self, slot: int) -> None: ...

    def loaded(self) -> float:
        """Returns the seconds since ``begin`` on the host."""

    def mark(self, part: Part) -> None:
        """``part`` of the step ends here; times of a part that ends twice add up."""

    def end(self) -> None: ...

    def finished(self, slot: int) -> bool: ...

    def wait(self, slot: int) -> None: ...

    def read(self, slot: int) -> Timing: ...


class HostClock:
    """For a CPU, where work is finished when the call returns."""

    def __init__(self, slots: int) -> None:
        self.place = Place()
        self._began = [math.nan] * slots
        self._ended = [math.nan] * slots
        self._parts = [[math.nan] * len(PARTS) for _ in range(slots)]
        self._slot = 0
        self._last = 0.0
        self._offset = 0.0

    def anchor(self) -> None:
        self._offset = time.time() - time.perf_counter()

    def begin(self, slot: int) -> None:
        self._slot = slot
        self._parts[slot] = [math.nan] * len(PARTS)
        self._began[slot] = time.perf_counter()

    def loaded(self) -> float:
        self._last = time.perf_counter()
        return self._last - self._began[self._slot]

    def mark(self, part: Part) -> None:
        now = time.perf_counter()
        _add(self._parts[self._slot], PARTS.index(part), now - self._last)
        self._last = now
        self.place.after(part)

    def end(self) -> None:
        self._ended[self._slot] = time.perf_counter()

    def finished(self, slot: int) -> bool:
        return True

    def wait(self, slot: int) -> None:
        return

    def read(self, slot: int) -> Timing:
        began = self._began[slot]
        return Timing(self._offset + began, self._ended[slot] - began, tuple(self._parts[slot]))


class DeviceClock:
    """For CUDA and MPS: events in the current stream, read when they have happened."""

    def __init__(self, slots: int, device: torch.device) -> None:
        make: Callable[..., Any] = (
            torch.mps.event.Event if device.type == "mps" else torch.cuda.Event
        )
        self.place = Place()
        self._make: Callable[[], Any] = partial(make, enable_timing=True)
        # Of each slot: begin, loaded, end, and one for each mark, of which there may be many.
        self._events = [[self._make() for _ in range(3 + len(PARTS))] for _ in range(slots)]
        self._marked: list[list[int]] = [[] for _ in range(slots)]
        self._anchor = self._make()
        self._anchored = 0.0
        self._slot = 0
        self._host = 0.0

    def anchor(self) -> None:
        self._anchor.record()
        self._anchor.synchronize()
        self._anchored = time.time()

    def begin(self, slot: int) -> None:
        self._slot = slot
        self._marked[slot] = []
        self._host = time.perf_counter()
        self._events[slot][0].record()

    def loaded(self) -> float:
        waited = time.perf_counter() - self._host
        self._events[self._slot][1].record()
        return waited

    def mark(self, part: Part) -> None:
        events, marked = self._events[self._slot], self._marked[self._slot]
        marked.append(PARTS.index(part))
        if len(events) < 3 + len(marked):
            events.append(self._make())
        events[2 + len(marked)].record()
        self.place.after(part)

    def end(self) -> None:
        self._events[self._slot][2].record()

    def finished(self, slot: int) -> bool:
        return bool(self._events[slot][2].query())

    def wait(self, slot: int) -> None:
        self._events[slot][2].synchronize()

    def read(self, slot: int) -> Timing:
        begin, last, end, *marks = self._events[slot]
        parts = [math.nan] * len(PARTS)
        for part, event in zip(self._marked[slot], marks, strict=False):
            _add(parts, part, _seconds(last, event))
            last = event
        began = self._anchored + _seconds(self._anchor, begin)
        return Timing(began, _seconds(begin, end), tuple(parts))


def clock_for(device: torch.device, slots: int) -> Clock:
    return HostClock(slots) if device.type == "cpu" else DeviceClock(slots, device)


def _seconds(start: Any, end: Any) -> float:
    return float(start.elapsed_time(end)) / 1000.0


def _add(parts: list[float], index: int, seconds: float) -> None:
    """A part that comes several times in a step (accumulation) takes the sum of its times."""
    before = parts[index]
    parts[index] = seconds if math.isnan(before) else before + seconds
