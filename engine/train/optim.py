"""The optimiser."""

from __future__ import annotations

import torch
from torch import nn

from engine.plan.config import Settings


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
