"""Small networks and batches for the tests of stages."""

from __future__ import annotations

import time
from typing import Any

import torch
from torch import Tensor, nn

from engine.train.batch import Batch
from engine.train.clocks import Clock, HostClock
from engine.train.strategies.base import Strategy

CPU = torch.device("cpu")


def batch(images: int, *, side: int = 32, seed: int = 0, blind: bool = False) -> Batch:
    """``blind``: as a rank has it that needs no images."""
    generator = torch.Generator().manual_seed(seed)
    shape = (images, side, side, 3)
    pixels = torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)
    labels = torch.randint(0, 4, (images,), generator=generator)
    return Batch("train", 0, pixels[:0, :0, :0] if blind else pixels, labels, [])


def clock() -> Clock:
    made = HostClock(1)
    made.begin(0)
    made.loaded()
    return made


def step(strategy: Strategy, images: Batch, parts: int = 1, lr: float = 0.1) -> Any:
    """A step as the loop does it; returns the tally of its last part, and the update's word."""
    marks = clock()
    pieces = images.parts(parts)
    for piece in pieces:
        tally = strategy.forward_backward(piece, len(images), marks, piece is pieces[-1])
    return tally, strategy.update(lr, None, marks)


class Nap(nn.Module):
    """Sleeps so many seconds forward, and twice as many backward, as real layers do."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(()))
        self._seconds = seconds

    def forward(self, x: Tensor) -> Tensor:
        time.sleep(self._seconds)
        y: Tensor = _Sleep.apply(x + self.weight, 2 * self._seconds)
        return y


class _Sleep(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, seconds: float) -> Tensor:
        ctx.seconds = seconds
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        time.sleep(ctx.seconds)
        return gradient, None


class Ends(nn.Module):
    """Passes on until it is told with what to end, forward or backward."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner
        self.error: BaseException | None = None
        self.backward = False

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.inner(x)
        if self.error is not None and not self.backward:
            raise self.error
        if self.error is not None and y.requires_grad:
            y.register_hook(self._end)  # type: ignore[no-untyped-call]
        return y

    def _end(self, gradient: Tensor) -> None:
        assert self.error is not None
        raise self.error
