"""What is estimated before a training, against what real steps keep and take."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks
from torch.profiler import ProfilerActivity, profile

from engine.plan.config import MODELS
from engine.plan.footprint import footprint
from engine.plan.resnet_shapes import layers
from engine.plan.runs import RunPlan
from engine.train import model
from engine.train.clocks import HostClock
from engine.train.strategies.base import Strategy
from engine.train.strategies.choose import make
from engine.train.world import ALONE
from tests.train.making import plan

CLASSES = 5
_LARGEST = 4 * 9 * 512 * 512
"""Bytes of the largest weight of ResNet-18."""


@pytest.mark.parametrize("name", MODELS)
def test_parameters_and_buffers_are_exact(name: str) -> None:
    made = plan(Path(), model=name)
    with torch.device("meta"):
        network, _ = model.build(made.settings, CLASSES)
    found = footprint(made, CLASSES)
    parameters = sum(each.numel() * each.element_size() for each in network.parameters())
    buffers = sum(each.numel() * each.element_size() for each in network.buffers())
    assert (found.weights, found.gradients) == (parameters + buffers, parameters)
    by_name = [sum(p.numel() for p in each.parameters()) for each in network.children()]
    flat = layers(name, made.settings.image_size, CLASSES)
    assert (by_name[0] + by_name[1], by_name[-1]) == (flat[0].parameters, flat[-1].parameters)


@pytest.mark.parametrize(
    ("name", "switches"),
    [
        ("single", {"model": "resnet18", "image_size": 64}),
        ("single", {"model": "resnet50", "image_size": 64, "channels_last": "no"}),
        ("single", {"model": "resnet50", "image_size": 75}),
        ("amp", {"model": "resnet18", "image_size": 64}),
        ("amp", {"model": "resnet50", "image_size": 97}),
    ],
)
def test_what_is_kept_for_the_backward_is_exact(name: str, switches: dict[str, Any]) -> None:
    made = plan(Path(), name, batch_size=3, device="cpu", **switches)
    step, strategy = _stepping(made)
    estimate = footprint(made, CLASSES).activations
    assert estimate is not None
    # In 16 bits, what is kept are copies of the images; they are there themselves as well.
    images = 3 * 3 * made.settings.image_size**2 * 4 if name == "amp" else 0
    assert estimate - images == _kept(step, strategy)


@pytest.mark.parametrize(
    ("name", "switches"),
    [
        ("single", {}),
        ("amp", {}),
        ("gradient-checkpointing", {"model": "resnet50", "batch_size": 8}),
        ("gradient-checkpointing", {"image_size": 160, "batch_size": 6}),
        ("single", {"accumulate": 2}),
        ("gpipe", {"balance": (4, 8), "recompute": "never"}),
        ("gpipe", {"balance": (4, 8), "batch_size": 8, "image_size": 128}),
    ],
)
def test_the_fullest_moment_of_a_step(name: str, switches: dict[str, Any]) -> None:
    """By torch's own account of every allocation.

    Gradients come while activations go: the fullest moment may be lower by as much. Where they are
    summed over parts, each of a later part is there beside the sum; on a CPU three times.
    """
    few: dict[str, Any] = {"batch_size": 12, "image_size": 64, "micro_batches": 4, "device": "cpu"}
    made = plan(Path(), name, **{**few, **switches})
    step, _ = _stepping(made)
    step()
    peak = _peak(step)
    found = footprint(made, CLASSES)
    assert found.activations is not None
    assert found.gradients is not None
    parts = name == "gpipe" or "accumulate" in switches
    beside = 3 * _LARGEST if parts else 0
    assert 0.97 * found.activations < peak
    assert peak < 1.05 * (found.activations + found.gradients) + beside


@pytest.mark.parametrize(
    "switches",
    [
        {"model": "resnet18", "image_size": 160},
        {"model": "resnet50", "image_size": 96, "precision": "bf16"},
        {"model": "resnet18", "image_size": 96, "gradient_checkpointing": True},
    ],
)
def test_the_fullest_moment_of_a_frozen_network(switches: dict[str, Any]) -> None:
    """It is on the way forward, because nothing is kept for a way back. Images are large enough for
    no weight that a convolution lays out anew to be larger."""
    made = plan(Path(), batch_size=12, device="cpu")
    made = replace(made, settings=replace(made.settings, freeze=True, **switches))
    step, _ = _stepping(made)
    step()
    found = footprint(made, CLASSES)
    assert found.activations is not None
    assert _peak(step) == pytest.approx(found.activations, rel=0.001)


@pytest.mark.parametrize(
    ("switches", "copies", "averaged"),
    [
        ({"optimizer": "adamw"}, 2, False),
        ({"optimizer": "adamw", "momentum": 0.0, "decay_norm": False}, 2, False),
        ({"ema": 0.99}, 1, True),
        ({"optimizer": "adamw", "ema": 0.99, "freeze": True}, 2, True),
    ],
)
def test_what_is_held_is_exact(switches: dict[str, Any], copies: int, averaged: bool) -> None:
    made = plan(Path(), device="cpu", balance=(4, 8))
    made = replace(made, settings=replace(made.settings, **switches))
    network, _ = model.build(made.settings, CLASSES)
    held, found = _stepping(made)[1].held(), footprint(made, CLASSES)
    learning = list(network.parameters())
    if made.settings.freeze:
        learning = list(network.get_submodule("fc").parameters())
    counts = 4 * len(learning) if copies == 2 else 0  # AdamW's steps of every tensor
    assert found.optimizer == held["optimizer"] - counts
    assert found.optimizer == copies * sum(each.nbytes for each in learning)
    assert (found.weights, found.gradients) == (held["weights"], held["gradients"])
    assert found.averaged == held.get("averaged", 0)
    assert (found.averaged > 0) == averaged
    assert found.total is not None
    assert found.total > held["weights"] + found.optimizer + found.averaged


def _stepping(made: RunPlan) -> tuple[Callable[[], None], Strategy]:
    """Real steps of a real strategy, on grey images."""
    network, _ = model.build(made.settings, CLASSES)
    strategy = make(made, ALONE)
    devices = [torch.device("cpu")] * (made.settings.stages or 1)
    strategy.prepare(made, network, devices)
    settings, clock = made.settings, HostClock(1)
    batch = strategy._arithmetic.blank(settings.batch_size, settings.image_size)  # type: ignore[attr-defined]

    def step() -> None:
        strategy.forward_backward(batch, settings.batch_size, clock)
        strategy.update(0.01, None, clock)

    return step, strategy


def _kept(step: Callable[[], None], strategy: Strategy) -> int:
    """Bytes of all storages that autograd keeps, but those of weights and buffers."""
    network = strategy._model  # type: ignore[attr-defined]
    own = {
        each.untyped_storage().data_ptr() for each in (*network.parameters(), *network.buffers())
    }
    sizes: dict[int, int] = {}
    alive = []  # Memory that is given back would be taken again.

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            sizes[storage.data_ptr()] = storage.nbytes()
            alive.append(tensor.detach())
        return tensor

    with saved_tensors_hooks(keep, lambda tensor: tensor):
        step()
    return sum(sizes.values())


def _peak(step: Callable[[], None]) -> int:
    """Bytes at the fullest moment, beyond what was there before the step."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as told:
        step()
    events = [each for each in told.profiler.kineto_results.events() if each.name() == "[memory]"]
    live = peak = 0
    for each in sorted(events, key=lambda event: int(event.start_ns())):
        live += each.nbytes()
        peak = max(peak, live)
    return peak
