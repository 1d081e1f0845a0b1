"""What is asked of an optimiser, or of weights, that they cannot do. Pure."""

from __future__ import annotations

from engine.plan.config import Settings
from engine.plan.learning_rate import peak
from engine.plan.strategies import Strategy


def optimising(chosen: Strategy, settings: Settings) -> str:
    """Why weights cannot follow their gradients like this; empty where they can."""
    if settings.nesterov and settings.optimizer == "adamw":
        return (
            "cannot use Nesterov's momentum with AdamW, which has averages of its own; give "
            "--no-nesterov, or --optimizer sgd"
        )
    if settings.nesterov and settings.momentum == 0:
        return (
            "cannot use Nesterov's momentum without momentum (--momentum 0); give --no-nesterov, "
            "or a momentum such as 0.9"
        )
    if settings.lr_floor > peak(settings):
        return (
            f"cannot end at a learning rate of {settings.lr_floor:g} (--lr-floor) where the "
            f"highest is {peak(settings):g}; give a floor below that, or a higher --lr"
        )
    return ""


def freezing(chosen: Strategy, settings: Settings) -> str:
    """Why the network cannot stay as it is; empty where it can."""
    if settings.freeze and settings.weights == "none":
        return (
            "cannot keep the network as its weights have it (--freeze) where there are none "
            "(--weights none); give --weights imagenet or a checkpoint, or leave --freeze out"
        )
    return ""
