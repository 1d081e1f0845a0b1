"""Time that a test moves by hand, and a device that works through its queue in it.

It stands for a GPU's stream: work starts when it is launched and all before it is done, and an
event happens when the work before it is done.
"""

from __future__ import annotations

from typing import Any

import pytest
import torch

from engine.train import clocks, host_steps, telemetry
from engine.train.clocks import DeviceClock


class Machine:
    """``now``: of the host; ``free``: when the device will have done all it was given."""

    EPOCH = 1_000_000.0

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = self.free = 100.0
        for module in (clocks, host_steps, telemetry):
            monkeypatch.setattr(module, "time", self)
        machine = self

        class Event:
            def __init__(self, enable_timing: bool) -> None:
                assert enable_timing
                self.at = float("nan")

            def record(self) -> None:
                machine.free = self.at = max(machine.free, machine.now)

            def query(self) -> bool:
                return self.at <= machine.now

            def synchronize(self) -> None:
                machine.now = max(machine.now, self.at)

            def elapsed_time(self, end: Any) -> float:
                assert self.query()
                assert end.query()
                return float(1000.0 * (end.at - self.at))

        monkeypatch.setattr(torch.mps.event, "Event", Event)

    def clock(self, slots: int) -> DeviceClock:
        return DeviceClock(slots, torch.device("mps"))

    def perf_counter(self) -> float:
        return self.now

    def time(self) -> float:
        return self.EPOCH + self.now

    def host(self, seconds: float) -> None:
        """The training thread is busy, or waits."""
        self.now += seconds

    def device(self, seconds: float) -> None:
        """Work is launched."""
        self.free = max(self.free, self.now) + seconds
