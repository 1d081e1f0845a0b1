"""The weights in a loaded file: which of them count, of which network, and whether they can be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor

from engine.errors import WeightsError

_BLOCKS: dict[tuple[bool, tuple[int, ...]], str] = {
    (False, (2, 2, 2, 2)): "resnet18",
    (False, (3, 4, 6, 3)): "resnet34",
    (True, (3, 4, 6, 3)): "resnet50",
    (True, (3, 4, 23, 3)): "resnet101",
    (True, (3, 8, 36, 3)): "resnet152",
}
"""Whether blocks are bottlenecks and how many each layer has: He et al. 2015, table 1."""

_PREFIXES = ("module.", "_orig_mod.")
"""What DataParallel and torch.compile put before every name."""


class Weights(NamedTuple):
    """A state dictionary in torchvision's key layout."""

    state: dict[str, Tensor]
    averaged: bool
    """Whether these are averages over the steps, which is what was validated."""


def weights_of(loaded: Mapping[str, Any], source: str) -> Weights:
    """A state dictionary, bare or as a checkpoint holds it; averaged weights where there are some.

    Raises ``WeightsError`` with a sentence that begins with ``source`` where it holds no weights,
    or weights that are no numbers to compute with.
    """
    averaged = isinstance(loaded.get("ema"), dict)
    state: Any = loaded
    for key in ("ema", "state_dict", "model"):
        if isinstance(state.get(key), dict):
            state = state[key]
            break
    if not state or not all(isinstance(each, Tensor) for each in state.values()):
        raise WeightsError(f"{source} holds no dictionary of tensors")
    named = {_bare(str(name)): value for name, value in state.items()}
    for name, value in named.items():
        _check(name, value, source)
    return Weights(named, averaged)


def network_of(state: Mapping[str, Tensor]) -> str | None:
    """torchvision's name of the ResNet that has such keys; ``None`` for any other network."""
    blocks = tuple(_count_blocks(state, layer) for layer in range(1, 5))
    return _BLOCKS.get(("layer1.0.conv3.weight" in state, blocks))


def classes_of(state: Mapping[str, Tensor]) -> int | None:
    """How many classes its head tells apart; ``None`` without a head."""
    head = state.get("fc.weight")
    return len(head) if head is not None and head.dim() == 2 else None


def _bare(name: str) -> str:
    for prefix in _PREFIXES:
        name = name.removeprefix(prefix)
    return name


def _count_blocks(state: Mapping[str, Tensor], layer: int) -> int:
    count = 0
    while f"layer{layer}.{count}.conv1.weight" in state:
        count += 1
    return count


def _check(name: str, value: Tensor, source: str) -> None:
    """Raises where ``value`` is no plain array of finite numbers."""
    plain = value.layout is torch.strided and value.device.type == "cpu"
    counts = name.endswith("num_batches_tracked")
    if not plain or value.is_quantized or not (value.is_floating_point() or counts):
        raise WeightsError(f"{source} holds no plain numbers in {name}; save its state_dict()")
    # A tensor may claim to repeat one number a trillion times, and take no room until it is used.
    if value.numel() * value.element_size() > value.untyped_storage().nbytes():
        raise WeightsError(f"{source} is not loaded: {name} says that it is larger than it is")
    if value.is_floating_point() and not bool(value.isfinite().all()):
        raise WeightsError(
            f"{source} cannot be used: {name} holds weights that are not finite numbers; its "
            "training went wrong, take an earlier checkpoint"
        )
