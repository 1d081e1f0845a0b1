"""What each layer of a network costs: its time and its memory, measured where it will train."""

from __future__ import annotations

import copy
import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks

from engine.train import norm
from engine.train.arithmetic import Arithmetic

_BUDGET = 1.5
"""Seconds for the passes that are timed, if one takes less."""
_PASSES = 5


@dataclass(frozen=True, slots=True)
class Profile:
    """Of every layer, for one micro-batch."""

    seconds: tuple[float, ...]
    """Forward and backward."""
    sizes: tuple[int, ...]
    """Bytes: parameters, gradients, momentum, and what is kept for the backward pass."""


def profile(
    sequence: nn.Sequential, arithmetic: Arithmetic, images: int, side: int, *, momentum: bool
) -> Profile:
    """Measures copies of the layers: weights, gradients, statistics and random numbers stay.

    Memory is measured first, in a forward pass that warms up as well; then as many passes are
    timed as fit into ``_BUDGET`` seconds, one at least.
    """
    device = arithmetic.device
    layers = [copy.deepcopy(layer).to(device).train() for layer in sequence]
    if images == 1 and side <= 32:
        for each in (each for layer in layers for each in norm.norms(layer)):
            each.eval()
    noise = torch.randn(images, 3, side, side, generator=torch.Generator().manual_seed(0))
    batch = noise.to(device, arithmetic.dtype).to(memory_format=arithmetic.layout)
    sizes = _sizes(layers, arithmetic, batch, momentum=momentum)
    began = time.perf_counter()
    rows = [_timed_pass(layers, arithmetic, batch)]
    took = time.perf_counter() - began
    more = min(_PASSES, int(_BUDGET / took)) - 1
    rows += [_timed_pass(layers, arithmetic, batch) for _ in range(more)]
    del layers
    _forget(device)
    return Profile(tuple(map(median, zip(*rows, strict=True))), sizes)


def _timed_pass(layers: Sequence[nn.Module], arithmetic: Arithmetic, batch: Tensor) -> list[float]:
    """Seconds of each layer, forward and backward."""
    seconds = []
    x = batch
    for number, layer in enumerate(layers):
        x = x.detach().requires_grad_(number > 0)
        wanted = [each for each in (x, *layer.parameters()) if each.requires_grad]
        _wait(arithmetic.device)
        began = time.perf_counter()
        with arithmetic.autocast():
            y: Tensor = layer(x)
        torch.autograd.grad(y, wanted, torch.ones_like(y))
        _wait(arithmetic.device)
        seconds.append(time.perf_counter() - began)
        x = y
    return seconds


def _sizes(
    layers: Sequence[nn.Module], arithmetic: Arithmetic, batch: Tensor, *, momentum: bool
) -> tuple[int, ...]:
    """Bytes of each layer. What two layers keep is counted for the first of them."""
    seen = {each.untyped_storage().data_ptr() for layer in layers for each in layer.parameters()}
    alive = []  # Memory that is given back would be taken again, and not be counted then.
    result = []
    x = batch
    for layer in layers:
        kept = 0

        def keep(tensor: Tensor) -> Tensor:
            nonlocal kept
            storage = tensor.untyped_storage()
            if storage.data_ptr() not in seen:
                seen.add(storage.data_ptr())
                kept += storage.nbytes()
                alive.append(tensor)
            return tensor

        weights = sum(each.numel() * each.element_size() for each in layer.parameters())
        if weights:
            keep(x)  # Layers that are computed again keep nothing but this, and do not say so.
        with saved_tensors_hooks(keep, lambda tensor: tensor), arithmetic.autocast():
            x = layer(x)
        alive.append(x)
        result.append((3 if momentum else 2) * weights + kept)
    return tuple(result)


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def _forget(device: torch.device) -> None:
    """What measuring took of the device's memory is no part of the training's peak."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)
