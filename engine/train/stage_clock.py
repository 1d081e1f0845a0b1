"""How long each stage of a pipeline computes, measured and not reckoned.

A stage is busy from where a micro-batch enters its layers to where it leaves them, forward and
backward, and while it computes activations again. Waiting for another stage is in between, and
does not count. Backward, the borders are marked by functions that pass everything on unchanged::

    forward    enter: begin  ->  layers  ->  leave: end
    backward   enter: end    <-  layers  <-  leave: begin

On a CPU marks are readings of the host's clock. On a GPU they are events in its stream; the time
between two of them is asked for when both have happened, so that nothing waits.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from engine.journal.events import StagesMeasured

_FOLD = 64
"""Spans of a device that are kept before those that have happened are added up."""


class HostStopwatch:
    """For a CPU: adds up the spans between ``begin`` and ``end``."""

    def __init__(self) -> None:
        self._total = 0.0
        self._since: float | None = None

    def begin(self) -> None:
        self._since = time.perf_counter()

    def end(self) -> None:
        if self._since is not None:
            self._total += time.perf_counter() - self._since
            self._since = None

    def read(self) -> float:
        """Seconds since the last reading; may wait for the device."""
        total, self._total = self._total, 0.0
        return total


class DeviceStopwatch:
    """For CUDA and MPS: the same with events in the stream that computes."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._total = 0.0
        self._since: Any = None
        self._spans: deque[tuple[Any, Any]] = deque()
        self._spare: list[Any] = []

    def begin(self) -> None:
        self._since = self._now()

    def end(self) -> None:
        if self._since is not None:
            self._spans.append((self._since, self._now()))
            self._since = None
        if len(self._spans) > _FOLD:
            self._fold(wait=False)

    def read(self) -> float:
        self._fold(wait=True)
        total, self._total = self._total, 0.0
        return total

    def _now(self) -> Any:
        apple = self._device.type == "mps"
        make: Any = torch.mps.event.Event if apple else torch.cuda.Event
        event = self._spare.pop() if self._spare else make(enable_timing=True)
        # Another thread than the strategy's may compute this, with another current device.
        event.record(*(() if apple else (torch.cuda.current_stream(self._device),)))
        return event

    def _fold(self, *, wait: bool) -> None:
        while self._spans:
            begin, end = self._spans[0]
            if wait:
                end.synchronize()
            elif not end.query():
                return
            self._total += begin.elapsed_time(end) / 1000.0
            self._spare += self._spans.popleft()


Stopwatch = HostStopwatch | DeviceStopwatch


def stopwatch(device: torch.device) -> Stopwatch:
    return HostStopwatch() if device.type == "cpu" else DeviceStopwatch(device)


class StageClock:
    """The stopwatches of the stages of one process, and of its steps as a whole."""

    def __init__(self, stages: Sequence[int], devices: Sequence[torch.device]) -> None:
        """``devices``: of each of ``stages``; steps begin and end on the first one."""
        self._stages, self._devices = tuple(stages), tuple(devices)
        self.busy = [stopwatch(device) for device in devices]
        self.steps = stopwatch(devices[0])

    def measured(self, epoch: int, step: int) -> StagesMeasured:
        """What was measured since the last call; waits until the devices have done it."""
        return StagesMeasured(
            epoch=epoch,
            step=step,
            stages=self._stages,
            busy=tuple(each.read() for each in self.busy),
            seconds=self.steps.read(),
            peak_bytes=tuple(map(_peak, self._devices)),
        )


class Timed(nn.Module):
    """Layers whose computing in training is timed, forward and backward."""

    def __init__(self, layers: nn.Sequential, busy: Stopwatch, *, first: bool) -> None:
        """``first``: the input is data and gets no gradient, so nothing of it comes back to
        ``enter``; there the backward pass ends with the first layer that has weights."""
        super().__init__()
        self.layers = layers
        self._busy = busy
        if first:
            entry = next(each for each in layers.modules() if _has_own_weights(each))
            entry.register_forward_hook(self._end_behind)

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            result: Tensor = self.layers(x)
            return result
        self._busy.begin()
        entered = _Enter.apply(x, self._busy)
        left: Tensor = _Leave.apply(self.layers(entered), self._busy)
        self._busy.end()
        return left

    def _end_behind(self, layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        if self.training and output.grad_fn is not None:
            output.grad_fn.register_hook(lambda *_: self._busy.end())


class _Enter(torch.autograd.Function):
    """Passes on; backward, the layers have done their work."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, busy: Stopwatch) -> Tensor:
        ctx.busy = busy
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        ctx.busy.end()
        return gradient, None


class _Leave(torch.autograd.Function):
    """Passes on; backward, the layers begin their work."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, busy: Stopwatch) -> Tensor:
        ctx.busy = busy
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        ctx.busy.begin()
        return gradient, None


def _has_own_weights(layer: nn.Module) -> bool:
    return next(layer.parameters(recurse=False), None) is not None


def _peak(device: torch.device) -> int | None:
    """The most that torch held on ``device``; a CPU's memory is not a stage's."""
    return torch.cuda.max_memory_allocated(device) if device.type == "cuda" else None
