"""Batch normalisation whose running statistics move once per step, whatever the step is made of.

torch moves them at every forward pass: M times a step where it is made of M micro-batches or
parts, and again wherever an activation is computed twice. ``defer`` lets the layers of a network
note the statistics of every pass instead, but those of a recomputation, and ``commit`` moves the
running ones once, by those of all images of the step together.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

_here = threading.local()


class _Pass(NamedTuple):
    """One pass: images x pixels that were normalised together, their mean and their variance."""

    size: int
    mean: Tensor
    variance: Tensor
    """Unbiased, as running variances are."""


class _Deferred(_BatchNorm):
    """In front of a class of normalisation layers: notes instead of moving."""

    _passes: list[_Pass]
    _aside: list[_Pass]
    _home: torch.device

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or not self.track_running_stats:
            return super().forward(x)
        running = self.running_mean, self.running_var, self.num_batches_tracked, self.momentum
        # With a momentum of 1 the layer leaves exactly this pass's statistics in what it is given.
        assert running[0] is not None
        assert running[1] is not None
        mean, variance = torch.zeros_like(running[0]), torch.zeros_like(running[1])
        self.running_mean, self.running_var = mean, variance
        counts = isinstance(self, nn.SyncBatchNorm)  # which will not do without a counter
        self.num_batches_tracked = torch.zeros_like(running[2]) if counts else None  # type: ignore[arg-type]
        self.momentum = 1.0
        try:
            y = super().forward(x)
        finally:
            self.running_mean, self.running_var = running[0], running[1]
            self.num_batches_tracked, self.momentum = running[2], running[3]
        if len(x) and not is_recomputing() and mean.device == self._home:
            self._passes.append(_Pass(x.numel() // x.shape[1], mean, variance))
        return y


_classes: dict[type[_BatchNorm], type[_Deferred]] = {}


def defer(model: nn.Module) -> None:
    """Makes every batch normalisation of ``model`` wait for ``commit``; call it on its device.

    Keys, values and copies of the model stay what they were. Copies on other devices (those of
    ``DataParallel``) note nothing, as their statistics are thrown away anyway.
    """
    for layer in norms(model):
        kind = type(layer)
        if issubclass(kind, _Deferred):
            continue
        if kind not in _classes:
            _classes[kind] = type(f"Deferred{kind.__name__}", (_Deferred, kind), {})
        layer.__class__ = _classes[kind]
        assert isinstance(layer, _Deferred)
        assert layer.running_mean is not None
        layer._passes, layer._aside, layer._home = [], [], layer.running_mean.device
    # Every step asks for them, and to look for them takes longer than most of what it does.
    model._deferred_norms = tuple(  # type: ignore[assignment]
        layer for layer in norms(model) if isinstance(layer, _Deferred)
    )


@torch.no_grad()
def commit(model: nn.Module, applied: Tensor | None = None) -> None:
    """Moves the running statistics of deferred layers by what they noted since the last time.

    ``applied``: 0 on the device where the step was skipped, so that they stay as they were: what
    was noted then may be no number.
    """
    for layer in _deferred(model):
        if passes := [*layer._aside, *layer._passes]:
            layer._aside.clear()
            layer._passes.clear()
            mean, variance = together(passes)
            assert layer.running_mean is not None
            assert layer.running_var is not None
            momentum = 0.1 if layer.momentum is None else layer.momentum
            _move(layer.running_mean, mean, momentum, applied)
            _move(layer.running_var, variance, momentum, applied)
            if (counter := layer.num_batches_tracked) is not None:
                counter.add_(1 if applied is None else applied.to(counter, non_blocking=True))


def _move(value: Tensor, noted: Tensor, momentum: float, applied: Tensor | None) -> None:
    if applied is None:
        value.lerp_(noted, momentum)
        return
    made = applied.to(value.device, non_blocking=True) > 0
    value.copy_(torch.where(made, value.lerp(noted, momentum), value))


def forget(model: nn.Module) -> None:
    """Drops what deferred layers noted since the last ``commit``."""
    for layer in _deferred(model):
        layer._aside.clear()
        layer._passes.clear()


def set_aside(model: nn.Module) -> None:
    """Lets deferred layers forget how many passes they noted, until ``commit``.

    A compiled network is compiled anew for every number of them, and from the ninth one on it is
    not compiled at all.
    """
    for layer in _deferred(model):
        layer._aside += layer._passes
        layer._passes.clear()


def together(passes: Iterable[_Pass]) -> tuple[Tensor, Tensor]:
    """Mean and unbiased variance of all values of all passes (Chan et al. 1979)."""
    first, *others = passes
    size, mean, variance = first
    for more in others:
        total = size + more.size
        difference = more.mean - mean
        squares = (
            variance * (size - 1)
            + more.variance * (more.size - 1)
            + difference.square() * (size * more.size / total)
        )
        mean = mean + difference * (more.size / total)
        variance = squares / (total - 1)
        size = total
    return mean, variance


def norms(model: nn.Module) -> list[_BatchNorm]:
    return [each for each in model.modules() if isinstance(each, _BatchNorm)]


def _deferred(model: nn.Module) -> tuple[_Deferred, ...]:
    """The layers that wait for ``commit``; none where ``model`` was not deferred."""
    found: tuple[_Deferred, ...] = model.__dict__.get("_deferred_norms", ())
    return found


@contextmanager
def frozen(model: nn.Module, wanted: bool = True) -> Iterator[None]:
    """Normalises by the running statistics, as in validation: for a lone small image."""
    layers = norms(model) if wanted else []
    for layer in layers:
        layer.eval()
    try:
        yield
    finally:
        for layer in layers:
            layer.train()


def is_recomputing() -> bool:
    """Whether this thread computes activations for the second time."""
    return getattr(_here, "depth", 0) > 0


@contextmanager
def recomputing(wanted: bool = True) -> Iterator[None]:
    """What is computed inside was computed before."""
    _here.depth = getattr(_here, "depth", 0) + wanted
    try:
        yield
    finally:
        _here.depth -= wanted
