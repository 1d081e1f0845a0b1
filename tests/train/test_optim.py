"""Optimisers beside arithmetic that is written out, and which weights are in which group."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torchvision
from torch import Tensor, nn

from engine.plan.config import Settings
from engine.train.freeze import freeze
from engine.train.optim import groups, optimizer
from engine.train.precision import FP32, Precision
from engine.train.strategies.pipeline import part_of, together
from engine.train.updater import Updater
from tests.train.laboratory import CPU, network

FP16 = Precision("fp16", torch.float16, scaled=True)
RATES = (0.1, 0.05, 0.2, 0.01)
DECAY, MOMENTUM = 0.01, 0.8


class Two(nn.Module):
    """A weight that decays and a bias, in float64."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([[1.5, -0.5]], dtype=torch.float64))
        self.bias = nn.Parameter(torch.tensor([0.75], dtype=torch.float64))

    def slopes(self, step: int) -> tuple[Tensor, Tensor]:
        """Gradients of a step, whatever the weights are."""
        generator = torch.Generator().manual_seed(step)
        made = torch.randn(3, generator=generator, dtype=torch.float64)
        return made[:2].view(1, 2), made[2:]


def _settings(**more: Any) -> Settings:
    return Settings(momentum=MOMENTUM, weight_decay=DECAY, **more)


def _sgd(values: list[Tensor], decays: list[float], *, nesterov: bool) -> list[Tensor]:
    """v = m v + g and w = w - lr v, or w - lr (g + m v), where g holds the decay of w."""
    speeds = [torch.zeros_like(each) for each in values]
    for step, lr in enumerate(RATES):
        for place, slope in enumerate(Two().slopes(step)):
            gradient = slope + decays[place] * values[place]
            speeds[place] = MOMENTUM * speeds[place] + gradient
            change = gradient + MOMENTUM * speeds[place] if nesterov else speeds[place]
            values[place] = values[place] - lr * change
    return values


def _adamw(values: list[Tensor], decays: list[float]) -> list[Tensor]:
    """Loshchilov and Hutter's algorithm 2, with the rate as the multiplier of the decay."""
    first = [torch.zeros_like(each) for each in values]
    second = [torch.zeros_like(each) for each in values]
    for step, lr in enumerate(RATES):
        for place, slope in enumerate(Two().slopes(step)):
            values[place] = values[place] * (1 - lr * decays[place])
            first[place] = 0.9 * first[place] + 0.1 * slope
            second[place] = 0.999 * second[place] + 0.001 * slope.square()
            mean = first[place] / (1 - 0.9 ** (step + 1))
            spread = second[place] / (1 - 0.999 ** (step + 1))
            values[place] = values[place] - lr * mean / (spread.sqrt() + 1e-8)
    return values


@pytest.mark.parametrize("decay_norm", [True, False])
@pytest.mark.parametrize("kind", ["sgd", "nesterov", "adamw"])
def test_steps_are_those_of_the_papers(kind: str, decay_norm: bool) -> None:
    settings = _settings(
        optimizer="adamw" if kind == "adamw" else "sgd",
        nesterov=kind == "nesterov",
        decay_norm=decay_norm,
    )
    model = Two()
    start = [each.detach().clone() for each in model.parameters()]
    updater = Updater(model, settings, FP32, CPU)
    for step, lr in enumerate(RATES):
        for parameter, slope in zip(model.parameters(), model.slopes(step), strict=True):
            parameter.grad = slope.clone()
        updater.apply(lr, None)
    decays = [DECAY, DECAY if decay_norm else 0.0]
    if kind == "adamw":
        wanted = _adamw(start, decays)
    else:
        wanted = _sgd(start, decays, nesterov=kind == "nesterov")
    for parameter, each in zip(model.parameters(), wanted, strict=True):
        torch.testing.assert_close(parameter.detach(), each, rtol=1e-12, atol=1e-12)


def test_scales_shifts_and_biases_do_not_decay_where_norms_do_not() -> None:
    model = torchvision.models.resnet18(num_classes=5)
    decaying, others = groups(model, _settings(decay_norm=False))
    plain = {"weight", "bias"}
    norms = {
        f"{name}.{each}"
        for name, layer in model.named_modules()
        if isinstance(layer, nn.BatchNorm2d)
        for each in plain
    }
    convolutions = {
        f"{name}.weight"
        for name, layer in model.named_modules()
        if isinstance(layer, nn.Conv2d | nn.Linear)
    }
    assert {name for name, _ in others} == norms | {"fc.bias"}
    assert {name for name, _ in decaying} == convolutions
    (everything,) = groups(model, _settings())
    assert [name for name, _ in everything] == [name for name, _ in model.named_parameters()]


def test_every_group_has_the_rate_of_the_step_and_its_own_decay() -> None:
    model = Two()
    updater = Updater(model, _settings(decay_norm=False), FP32, CPU)
    for parameter, slope in zip(model.parameters(), model.slopes(0), strict=True):
        parameter.grad = slope
    updater.apply(0.0123, None)
    found = updater.capture()["optimizer"]["param_groups"]
    assert [each["lr"] for each in found] == [0.0123, 0.0123]
    assert [each["weight_decay"] for each in found] == [DECAY, 0.0]
    assert [each["params"] for each in found] == [["weight"], ["bias"]]


@pytest.mark.parametrize("kind", ["sgd", "adamw"])
def test_what_is_remembered_is_there_before_the_first_step(kind: str) -> None:
    """So that a checkpoint of any step has it, and a first step that is skipped leaves zeros."""
    model, settings = Two(), _settings(optimizer=kind, decay_norm=False)
    updater = Updater(model, settings, FP16, CPU)
    for each in model.parameters():
        each.grad = torch.full_like(each, torch.inf)
    applied = updater.apply(0.1, 1.0)
    assert applied is not None
    assert applied.item() == 0.0
    found = updater.capture()["optimizer"]["state"]
    names = {"exp_avg", "exp_avg_sq", "step"} if kind == "adamw" else {"momentum_buffer"}
    assert {name: set(each) for name, each in found.items()} == {"weight": names, "bias": names}
    assert all(not value.any() for each in found.values() for value in each.values())
    assert torch.equal(model.weight.detach(), Two().weight.detach())


def test_state_goes_by_name_through_groups_whatever_the_order_of_the_weights() -> None:
    """A pipeline's parts are put together group by group, and taken apart again."""
    settings = _settings(optimizer="adamw", decay_norm=False)
    whole, other = network("batch"), network("batch")
    updater = Updater(whole, settings, FP32, CPU)
    for number, each in enumerate(whole.parameters()):
        each.grad = torch.full_like(each, 1.0 + number)
    updater.apply(0.1, None)
    state = {"state_dict": dict(whole.state_dict()), "ema": {}, **updater.capture()}
    keys = list(whole.state_dict())
    halves = [part_of(state, set(keys[:40])), part_of(state, set(keys[40:]))]
    again = together(halves)
    assert again["optimizer"]["param_groups"] == state["optimizer"]["param_groups"]
    assert list(again["optimizer"]["state"]) != list(state["optimizer"]["state"])
    restored = Updater(other, settings, FP32, CPU)
    restored.restore(again)
    found, wanted = restored.capture()["optimizer"], state["optimizer"]
    assert found["param_groups"] == wanted["param_groups"]
    for name, each in wanted["state"].items():
        for key, value in each.items():
            assert torch.equal(found["state"][name][key], value)


def test_of_a_frozen_network_the_classifier_is_in_the_groups() -> None:
    settings = _settings(freeze=True, decay_norm=False)
    model = network("batch")
    freeze(model, settings)
    found = groups(model, settings)
    assert [[name for name, _ in each] for each in found] == [["fc.weight"], ["fc.bias"]]
    made = optimizer(found, settings)
    assert len(made.state) == 2
