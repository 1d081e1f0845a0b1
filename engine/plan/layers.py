"""The layers that a ResNet flattens into for a pipeline: see ``engine.plan.stages``."""

from __future__ import annotations

_BLOCKS = {"resnet18": 8, "resnet34": 16, "resnet50": 16, "resnet101": 33, "resnet152": 50}
"""Residual blocks of each network."""


def learning(model: str) -> tuple[bool, ...]:
    """For each layer whether it has weights: the stem, the blocks, average pooling and flattening,
    which have none, and the classifier."""
    return (*(True,) * (1 + _BLOCKS[model]), False, False, True)
