from __future__ import annotations

import time
from pathlib import Path

import pytest
import torch
import torchvision
from torch import Tensor, nn

from engine.train import norm
from engine.train.arithmetic import arithmetic
from engine.train.profile import Profile, profile
from engine.train.recompute import recompute_blocks
from engine.train.sequence import flatten
from tests.train.making import plan

CPU = torch.device("cpu")


def _profiled(layers: nn.Sequential, images: int = 4, side: int = 32) -> Profile:
    made = arithmetic(plan(Path("unused"), image_size=side), layers, CPU)
    return profile(layers, made, images, side, remembered=1)


def _resnet() -> torchvision.models.ResNet:
    torch.manual_seed(0)
    return torchvision.models.resnet18(num_classes=3)


@pytest.mark.parametrize("images", [1, 4])
def test_nothing_is_changed_by_measuring(images: int) -> None:
    model = _resnet()
    norm.defer(model)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    random = torch.get_rng_state()
    _profiled(flatten(model), images)
    assert torch.equal(random, torch.get_rng_state())
    assert all(each.grad is None for each in model.parameters())
    norm.commit(model)
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


class Sleep(nn.Module):
    """Takes so long, forward and backward, and keeps nothing."""

    def __init__(self, forward: float, backward: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(()))
        self._forward, self._backward = forward, backward

    def forward(self, x: Tensor) -> Tensor:
        time.sleep(self._forward)
        y = x + self.weight
        y.register_hook(self._pause)  # type: ignore[no-untyped-call]
        return y

    def _pause(self, gradient: Tensor) -> None:
        time.sleep(self._backward)


def test_seconds_are_those_of_forward_and_backward() -> None:
    measured = _profiled(nn.Sequential(Sleep(0.01, 0.02), Sleep(0.03, 0.03)))
    assert measured.seconds == pytest.approx((0.03, 0.06), rel=0.2)


def test_sizes_are_weights_gradients_momentum_and_what_backward_needs() -> None:
    # The convolution keeps its input, the activation its own result; the sum keeps nothing.
    layers = nn.Sequential(nn.Conv2d(3, 8, 1, bias=False), nn.Tanh(), Sleep(0.0, 0.0))
    measured = _profiled(layers, images=2, side=16)
    pixels = 2 * 16 * 16 * 4
    assert measured.sizes == (3 * 24 * 4 + 3 * pixels, 8 * pixels, 3 * 4)


def test_blocks_that_compute_again_keep_less() -> None:
    model = _resnet()
    plain = _profiled(flatten(model))
    norm.defer(model)
    recompute_blocks(model)
    again = _profiled(flatten(model))
    blocks = slice(1, 9)
    assert sum(again.sizes[blocks]) < sum(plain.sizes[blocks])
    assert again.sizes[0] == plain.sizes[0]


def test_a_small_network_is_measured_within_seconds() -> None:
    layers = flatten(_resnet())
    # Of all threads' own time: what others do on the machine is not in it.
    began = time.process_time()
    measured = _profiled(layers, images=8, side=64)
    assert time.process_time() - began < 6.0
    assert len(measured.seconds) == len(measured.sizes) == len(layers)
    assert all(each > 0 for each in measured.seconds)
