"""A network out of a file of weights or a checkpoint, ready to be used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torchvision
from torch import nn

from engine.errors import CheckpointError
from engine.journal import layout
from engine.plan.config import MODELS
from engine.plan.text import clean
from engine.train.checkpoint_reading import load
from engine.train.weights import classes_of, network_of, weights_of

_USUAL_SIDE = 224
"""Pixels across, where the file does not say what it was trained with."""
_SIDES = range(16, 2049)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A network that only looks (``eval``), in float32 on the CPU, and what its file tells."""

    network: nn.Module
    model: str
    classes: int
    names: tuple[str, ...]
    """Of the classes, cleaned; empty where the file does not tell them."""
    image_size: int
    size_is_known: bool
    """Whether the file tells it, or whoever opened it; else it is what is usual."""
    averaged: bool
    epoch: int | None
    accuracy: float | None
    """Of these weights, 0..1; a checkpoint knows it of the best ones only."""


def open_network(path: Path, model: str | None = None, side: int | None = None) -> Opened:
    """Raises ``CheckpointError`` or ``WeightsError``: a sentence.

    ``model``: torchvision's name, where it cannot be told from the names of the weights.
    ``side``: pixels across, instead of what the file says of its training.
    """
    if side is not None and side not in _SIDES:
        raise CheckpointError(f"--image-size is {side}; give {_SIDES[0]} to {_SIDES[-1]} px")
    loaded, source = load(path), clean(str(path))
    weights = weights_of(loaded, source)
    name = _model(network_of(weights.state), model, source)
    classes = classes_of(weights.state)
    if classes is None:
        raise CheckpointError(f"{source} has no head that tells classes apart (fc.weight)")
    network: nn.Module = torchvision.models.get_model(name, num_classes=classes)
    try:
        network.load_state_dict(weights.state)
    except RuntimeError as error:
        # torch's first line names the class alone; the second says what is wrong.
        detail = clean(str(error).partition("\n")[2].strip().partition("\n")[0])
        raise CheckpointError(f"{source} does not fit a {name}: {detail}") from error
    told_size = side or _image_size(loaded)
    return Opened(
        network=network.float().eval().requires_grad_(False),
        model=name,
        classes=classes,
        names=_names(loaded.get("classes"), classes, source),
        image_size=told_size or _USUAL_SIDE,
        size_is_known=told_size is not None,
        averaged=weights.averaged,
        epoch=_epoch(loaded),
        accuracy=_share(loaded.get("best_acc" if path.name == layout.BEST else "accuracy")),
    )


def _model(found: str | None, asked: str | None, source: str) -> str:
    if asked is not None and asked not in MODELS:
        raise CheckpointError(f"--model {clean(asked)} is unknown; it can be {', '.join(MODELS)}")
    if found is not None and asked is not None and found != asked:
        raise CheckpointError(f"{source} is of a {found}, and --model says {asked}; leave it out")
    chosen = asked or found
    if chosen is None:
        raise CheckpointError(
            f"{source} is of no ResNet of torchvision's ({', '.join(MODELS)}), as the names of its "
            "weights tell"
        )
    return chosen


def _names(told: Any, classes: int, source: str) -> tuple[str, ...]:
    if not isinstance(told, list | tuple):
        return ()
    if len(told) != classes:
        raise CheckpointError(
            f"{source} names {len(told)} classes, and its head tells {classes} apart: it was put "
            "together from two trainings"
        )
    return tuple(clean(str(each)) for each in told)


def _image_size(loaded: Mapping[str, Any]) -> int | None:
    config = loaded.get("config")
    settings = config.get("settings") if isinstance(config, dict) else None
    side = _whole(settings.get("image_size")) if isinstance(settings, dict) else None
    return side if side is not None and side in _SIDES else None


def _epoch(loaded: Mapping[str, Any]) -> int | None:
    """The number of the one after which it was validated, which a limit may have broken off."""
    finished = _whole(loaded.get("epoch"))
    return finished + 1 if finished is not None and loaded.get("broken_off") else finished


def _whole(value: Any) -> int | None:
    return value if type(value) is int and value >= 0 else None


def _share(value: Any) -> float | None:
    return value if type(value) is float and 0.0 <= value <= 1.0 else None
