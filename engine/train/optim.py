"""The optimiser, and the learning rate as a function of the step."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import nn

from engine.plan.config import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Linear warm-up, then a cosine down to zero, in closed form.

    Step ``s`` of the warm-up has ``peak * (s + 1) / warmup_steps``; the step after it has
    ``peak``, and the step after the last would have zero.
    """

    peak: float
    warmup_steps: int
    total_steps: int

    def __call__(self, step: int) -> float:
        if step < self.warmup_steps:
            return self.peak * (step + 1) / self.warmup_steps
        left = self.total_steps - self.warmup_steps
        progress = min(1.0, (step - self.warmup_steps) / left) if left > 0 else 1.0
        return self.peak * 0.5 * (1.0 + math.cos(math.pi * progress))


def schedule(settings: Settings, steps_per_epoch: int) -> Schedule:
    """The schedule of a whole training; ``max_steps`` cuts it off and does not compress it."""
    total = settings.epochs * steps_per_epoch
    warmup = min(round(settings.warmup_epochs * steps_per_epoch), total)
    return Schedule(peak=settings.lr, warmup_steps=warmup, total_steps=total)


def sgd(model: nn.Module, settings: Settings) -> torch.optim.SGD:
    """SGD with momentum, fused.

    A fused optimiser takes a gradient scaler's found-inf flag on the device: no step waits to
    learn whether it was skipped.
    """
    optimizer = torch.optim.SGD(
        model.parameters(),
        lr=settings.lr,
        momentum=settings.momentum,
        weight_decay=settings.weight_decay,
        fused=True,
    )
    if settings.momentum:
        # Left to itself it takes memory as it comes in the first step, and where that step is
        # skipped (fp16 begins so) the second one adds that garbage to the weights.
        for parameter in model.parameters():
            optimizer.state[parameter]["momentum_buffer"] = torch.zeros_like(parameter)
    return optimizer
