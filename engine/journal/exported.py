"""What a process that writes weights for others tells: one line of JSON."""

from __future__ import annotations

import msgspec


class Exported(msgspec.Struct, frozen=True, kw_only=True, tag="exported"):
    """Weights were written."""

    model: str
    classes: int
    image_size: int
    """Side of the square the network was trained with, in pixels."""
    averaged: bool
    """Whether they are averages over the steps of the training."""
    size: int
    """Bytes of the file."""
    epoch: int | None = None
    accuracy: float | None = None
    """Validation accuracy of these very weights, 0..1; ``None`` where it is not known."""
