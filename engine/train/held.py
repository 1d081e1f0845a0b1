"""What a rank holds in memory whatever the batch."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn


def held(model: nn.Module, optimizer: torch.optim.Optimizer, averaged: int = 0) -> dict[str, int]:
    """Bytes of ``weights`` (buffers included), ``gradients``, ``optimizer`` (its state) and, where
    weights are averaged, of ``averaged`` ones.

    Of weights that are spread over ranks, this rank's part. Gradients as they will be.
    """
    learning = (each for each in model.parameters() if each.requires_grad)
    state: Iterable[Any] = chain.from_iterable(each.values() for each in optimizer.state.values())
    return {
        "weights": sum(map(_bytes, chain(model.parameters(), model.buffers()))),
        "gradients": sum(map(_bytes, learning)),
        "optimizer": sum(_bytes(each) for each in state if isinstance(each, Tensor)),
        **({"averaged": averaged} if averaged else {}),
    }


def _bytes(value: Tensor) -> int:
    # Sharded tensors know their own part; to import their class takes longer than all else here.
    part = value.to_local() if hasattr(value, "to_local") else value
    return int(part.nbytes)
