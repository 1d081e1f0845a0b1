from __future__ import annotations

from functools import partial

import pytest
import torch
import torchvision
from torch import nn

from engine.train.sequence import flatten, keep_only, layer_of, network_key, sequence_key


def _resnet(name: str = "resnet18", **more: object) -> torchvision.models.ResNet:
    torch.manual_seed(0)
    return torchvision.models.get_model(name, num_classes=5, **more)


@pytest.mark.parametrize("name", ["resnet18", "resnet50"])
def test_it_computes_exactly_what_the_network_computes(name: str) -> None:
    model = _resnet(name).double()
    images = torch.randn(3, 3, 32, 32, dtype=torch.float64)
    for mode in (True, False):
        model.train(mode)
        assert torch.equal(model(images), flatten(model)(images))


def test_the_modules_are_shared() -> None:
    model = _resnet(norm_layer=partial(nn.GroupNorm, 8))
    one, other = dict(model.named_parameters()), dict(flatten(model).named_parameters())
    assert len(one) == len(other)
    assert all(other[sequence_key(name)] is each for name, each in one.items())


def test_the_stem_is_one_layer_and_every_block_another() -> None:
    names = [name for name, _ in flatten(_resnet()).named_children()]
    blocks = [f"layer{group}_{number}" for group in (1, 2, 3, 4) for number in (0, 1)]
    assert names == ["stem", *blocks, "avgpool", "flatten", "fc"]


@pytest.mark.parametrize("name", ["resnet34", "resnet152"])
def test_keys_map_one_to_one_and_back(name: str) -> None:
    with torch.device("meta"):
        model = torchvision.models.get_model(name)
    keys = list(model.state_dict())
    assert [sequence_key(key) for key in keys] == list(flatten(model).state_dict())
    assert [network_key(sequence_key(key)) for key in keys] == keys


def test_what_is_kept_of_a_network_keeps_its_keys() -> None:
    model = _resnet()
    whole = model.state_dict()
    kept = {"layer2_1", "layer3_0", "fc"}
    keep_only(model, kept)
    part = model.state_dict()
    assert list(part) == [key for key in whole if layer_of(key) in kept]
    assert all(part[key] is not None and torch.equal(part[key], whole[key]) for key in part)
