"""What each layer of a network costs: its time and its memory, measured where it will train."""

from __future__ import annotations

import copy
import time
from collections.abc import Sequence
from contextlib import nullcontext
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
    """Bytes: parameters, gradients, what the optimiser and an average remember of them, and what is
    kept for the backward pass."""


def profile(
    sequence: nn.Sequential, arithmetic: Arithmetic, images: int, side: int, *, remembered: int
) -> Profile:
    """Measures copies of the layers: weights, gradients, statistics and random numbers stay.

    In the first pass memory is measured as well, and it warms up: as many follow as fit into
    ``_BUDGET`` seconds, and then it does not count. Where none fits it is all there is, because
    what is learned from a second slow one is not worth the waiting. On a GPU a second one tells.

    ``remembered``: numbers that are kept of each weight that learns, beside it and its gradient.
    """
    device = arithmetic.device
    layers = [copy.deepcopy(layer).to(device).train() for layer in sequence]
    if images == 1 and side <= 32:
        for each in (each for layer in layers for each in norm.norms(layer)):
            each.eval()
    noise = torch.randn(images, 3, side, side, generator=torch.Generator().manual_seed(0))
    batch = noise.to(device, arithmetic.dtype).to(memory_format=arithmetic.layout)
    kept = _Kept(layers)
    rows = [_pass(layers, arithmetic, batch, kept)]
    if device.type != "cpu":
        # Most of a GPU's first pass goes into loading kernels and choosing among them.
        rows = [_pass(layers, arithmetic, batch)]
    if more := min(_PASSES, int(_BUDGET / sum(rows[0]))):
        rows = [_pass(layers, arithmetic, batch) for _ in range(more)]
    weights = [
        sum((2 + remembered if p.requires_grad else 1) * _bytes(p) for p in layer.parameters())
        for layer in layers
    ]
    sizes = tuple(own + more for own, more in zip(weights, kept.sizes, strict=True))
    del layers, kept
    _forget(device)
    return Profile(tuple(map(median, zip(*rows, strict=True))), sizes)


class _Kept:
    """Bytes that each layer keeps for its backward pass. What two layers keep is counted for the
    first of them, and weights not at all."""

    def __init__(self, layers: Sequence[nn.Module]) -> None:
        self.sizes: list[int] = []
        self._seen = {
            each.untyped_storage().data_ptr() for layer in layers for each in layer.parameters()
        }
        # Memory that is given back would be taken again, and not be counted then.
        self._alive: list[Tensor] = []

    def begin(self, layer: nn.Module, x: Tensor) -> None:
        self.sizes.append(0)
        if any(each.requires_grad for each in layer.parameters()):
            self.keep(x)  # Layers that compute again keep nothing but this, and do not say so.

    def keep(self, tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in self._seen:
            self._seen.add(storage.data_ptr())
            self._alive.append(tensor.detach())
            self.sizes[-1] += storage.nbytes()
        return tensor


def _pass(
    layers: Sequence[nn.Module], arithmetic: Arithmetic, batch: Tensor, kept: _Kept | None = None
) -> list[float]:
    """Seconds of each layer, forward and backward; tells ``kept`` what layers keep."""
    seconds = []
    x, learns = batch, False
    for layer in layers:
        x = x.detach().requires_grad_(learns)
        learns = learns or any(each.requires_grad for each in layer.parameters())
        wanted = [each for each in (x, *layer.parameters()) if each.requires_grad]
        if kept is not None:
            kept.begin(layer, x)
        watching = saved_tensors_hooks(kept.keep, _as_it_is) if kept else nullcontext()
        _wait(arithmetic.device)
        began = time.perf_counter()
        with watching, arithmetic.autocast():
            y: Tensor = layer(x)
        if wanted:
            torch.autograd.grad(y, wanted, torch.ones_like(y))
        _wait(arithmetic.device)
        seconds.append(time.perf_counter() - began)
        x = y
    return seconds


def _as_it_is(tensor: Tensor) -> Tensor:
    return tensor


def _bytes(tensor: Tensor) -> int:
    return tensor.numel() * tensor.element_size()


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
