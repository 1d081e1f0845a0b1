"""The optimiser: which weights learn, which of them decay, and what is remembered of each.

SGD with momentum, or Nesterov's form of it (Sutskever et al. 2013), as torch has them; AdamW
(Loshchilov and Hutter 2017, 1711.05101) with the betas 0.9 and 0.999 and the epsilon 1e-8 of Adam
(Kingma and Ba 2014, 1412.6980).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from engine.plan.config import Settings

BETAS = (0.9, 0.999)
EPSILON = 1e-8

Named = list[tuple[str, nn.Parameter]]
"""Parameters, with their names in torchvision's network."""


def groups(model: nn.Module, settings: Settings) -> list[Named]:
    """The parameters that learn: those that decay, and where norms do not the others apart.

    Scales and shifts of batch normalisation and all biases are the parameters of one axis: they do
    not decay where ``decay_norm`` is off, as in torchvision's references (``set_weight_decay``) and
    in He et al. 2018 (1812.01187, "no bias decay"). A group may be empty, as in a stage of a
    pipeline; there are as many on every rank.
    """
    learning = [each for each in model.named_parameters() if each[1].requires_grad]
    if settings.decay_norm:
        return [learning]
    return [
        [(name, each) for name, each in learning if each.ndim > 1],
        [(name, each) for name, each in learning if each.ndim <= 1],
    ]


def optimizer(found: list[Named], settings: Settings) -> torch.optim.Optimizer:
    """Of the parameters in ``found``, as ``groups`` gives them; fused.

    A fused optimiser takes a gradient scaler's found-inf flag on the device: no step waits to
    learn whether it was skipped.
    """
    decays = (settings.weight_decay, 0.0)
    given = [
        {"params": [each for _, each in group], "weight_decay": decay}
        for group, decay in zip(found, decays, strict=False)
    ]
    if settings.optimizer == "adamw":
        made: torch.optim.Optimizer = torch.optim.AdamW(
            given, lr=settings.lr, betas=BETAS, eps=EPSILON, fused=True
        )
    else:
        made = torch.optim.SGD(
            given,
            lr=settings.lr,
            momentum=settings.momentum,
            nesterov=settings.nesterov,
            fused=True,
        )
    # Left to itself it takes memory as it comes in the first step, and where that step is skipped
    # (fp16 begins so) the second one adds that garbage to the weights. And what is saved before the
    # first step, or of a part of the weights that is empty, has all that is saved later.
    for group in made.param_groups:
        for parameter in group["params"]:
            made.state[parameter].update(_remembered(parameter, settings))
    return made


def _remembered(parameter: nn.Parameter, settings: Settings) -> dict[str, Tensor]:
    """Of a parameter that has made no step, as torch names it."""
    if settings.optimizer == "adamw":
        return {
            # In 32 bits whatever the weights are, because a fused step counts so.
            "step": torch.zeros((), dtype=torch.float32, device=parameter.device),
            "exp_avg": torch.zeros_like(parameter, requires_grad=False),
            "exp_avg_sq": torch.zeros_like(parameter, requires_grad=False),
        }
    if settings.momentum:
        return {"momentum_buffer": torch.zeros_like(parameter, requires_grad=False)}
    return {}
