"""Two clocks with one face: what a step took, on the host or on a device that runs behind it.

A step's marks follow one another: ``begin``, ``loaded``, then the end of each part in ``PARTS``
that the strategy marks, then ``end``. On a device they are events in its stream, so that the
parts are the device's time; on a CPU they are readings of the host's clock.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any, Literal, NamedTuple, Protocol, get_args

import torch

Part = Literal["copy", "forward", "backward", "update"]
PARTS: tuple[Part, ...] = get_args(Part)


class Timing(NamedTuple):
    """``began`` in Unix seconds; ``parts`` in the order of ``PARTS``, NaN where not marked."""

    began: float
    seconds: float
    parts: tuple[float, ...]


class Clock(Protocol):
    """Marks by the training thread; ``finished``, ``wait``, ``read`` by whoever harvests."""

    def anchor(self) -> None:
        """Ties the device's time to the wall clock; waits for the device."""

    def begin(self, slot: int) -> None: ...

    def loaded(self) -> float:
        """Returns the seconds since ``begin`` on the host."""

    def mark(self, part: Part) -> None:
        """``part`` of the step ends here."""

    def end(self) -> None: ...

    def finished(self, slot: int) -> bool: ...

    def wait(self, slot: int) -> None: ...

    def read(self, slot: int) -> Timing: ...


class HostClock:
    """For a CPU, where work is finished when the call returns."""

    def __init__(self, slots: int) -> None:
        self._marks = [[math.nan] * (3 + len(PARTS)) for _ in range(slots)]
        self._current = self._marks[0]
        self._offset = 0.0

    def anchor(self) -> None:
        self._offset = time.time() - time.perf_counter()

    def begin(self, slot: int) -> None:
        self._current = self._marks[slot]
        self._current[2:-1] = [math.nan] * len(PARTS)
        self._current[0] = time.perf_counter()

    def loaded(self) -> float:
        self._current[1] = time.perf_counter()
        return self._current[1] - self._current[0]

    def mark(self, part: Part) -> None:
        self._current[2 + PARTS.index(part)] = time.perf_counter()

    def end(self) -> None:
        self._current[-1] = time.perf_counter()

    def finished(self, slot: int) -> bool:
        return True

    def wait(self, slot: int) -> None:
        return

    def read(self, slot: int) -> Timing:
        began, loaded, *ends, ended = self._marks[slot]
        return Timing(self._offset + began, ended - began, _differences(loaded, ends))


class DeviceClock:
    """For CUDA and MPS: events in the current stream, read when they have happened."""

    def __init__(self, slots: int, device: torch.device) -> None:
        make: Callable[..., Any] = (
            torch.mps.event.Event if device.type == "mps" else torch.cuda.Event
        )
        count = 3 + len(PARTS)
        self._events = [[make(enable_timing=True) for _ in range(count)] for _ in range(slots)]
        self._marked = [[False] * len(PARTS) for _ in range(slots)]
        self._anchor = make(enable_timing=True)
        self._anchored = 0.0
        self._slot = 0
        self._host = 0.0

    def anchor(self) -> None:
        self._anchor.record()
        self._anchor.synchronize()
        self._anchored = time.time()

    def begin(self, slot: int) -> None:
        self._slot = slot
        self._marked[slot] = [False] * len(PARTS)
        self._host = time.perf_counter()
        self._events[slot][0].record()

    def loaded(self) -> float:
        waited = time.perf_counter() - self._host
        self._events[self._slot][1].record()
        return waited

    def mark(self, part: Part) -> None:
        index = PARTS.index(part)
        self._marked[self._slot][index] = True
        self._events[self._slot][2 + index].record()

    def end(self) -> None:
        self._events[self._slot][-1].record()

    def finished(self, slot: int) -> bool:
        return bool(self._events[slot][-1].query())

    def wait(self, slot: int) -> None:
        self._events[slot][-1].synchronize()

    def read(self, slot: int) -> Timing:
        events = self._events[slot]
        ends = [
            _seconds(events[0], event) if marked else math.nan
            for event, marked in zip(events[2:-1], self._marked[slot], strict=True)
        ]
        began = self._anchored + _seconds(self._anchor, events[0])
        loaded = _seconds(events[0], events[1])
        return Timing(began, _seconds(events[0], events[-1]), _differences(loaded, ends))


def clock_for(device: torch.device, slots: int) -> Clock:
    return HostClock(slots) if device.type == "cpu" else DeviceClock(slots, device)


def _seconds(start: Any, end: Any) -> float:
    return float(start.elapsed_time(end)) / 1000.0


def _differences(start: float, ends: list[float]) -> tuple[float, ...]:
    """Times between successive marks; a part that was not marked takes no time of its own."""
    parts = []
    for end in ends:
        parts.append(end - start)
        if not math.isnan(end):
            start = end
    return tuple(parts)
