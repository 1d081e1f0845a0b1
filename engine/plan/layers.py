"""How many layers a ResNet flattens into for a pipeline: see ``balance``."""

from __future__ import annotations

_BLOCKS = {"resnet18": 8, "resnet34": 16, "resnet50": 16, "resnet101": 33, "resnet152": 50}
"""Residual blocks of each network."""

_ENDS = 4
"""The stem before them; average pooling, flattening and the classifier after them."""


def layer_count(model: str) -> int:
    """Layers that can be shared out between stages: 20 for ``resnet50``."""
    return _BLOCKS[model] + _ENDS
