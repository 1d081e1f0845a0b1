"""What is said of a network before anything is built, against torchvision, torch and autograd."""

from __future__ import annotations

import pytest
import torch
import torchvision
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.utils.flop_counter import FlopCounterMode

from engine.plan.config import MODELS, Settings
from engine.plan.summary import Summary, summarize


def summary(model: str, image_size: int = 224, classes: int = 1000, batch: int = 1) -> Summary:
    made = Settings(model=model, image_size=image_size, batch_size=batch)
    return summarize(made, classes)


def built(model: str, classes: int = 1000) -> nn.Module:
    made: nn.Module = torchvision.models.get_model(model, weights=None, num_classes=classes)
    return made


@pytest.mark.parametrize("model", MODELS)
def test_parameters_are_exactly_those_of_torchvision(model: str) -> None:
    documented = torchvision.models.get_model_weights(model).IMAGENET1K_V1.meta
    assert summary(model).parameters == documented["num_params"]
    with torch.device("meta"):
        network = built(model, 7)
    found = {each.name: each.parameters for each in summary(model, classes=7).rows}
    sizes = {
        f"{group}.{number}" if isinstance(layers, nn.Sequential) else group: sum(
            each.numel() for each in block.parameters()
        )
        for group, layers in network.named_children()
        for number, block in enumerate(layers if isinstance(layers, nn.Sequential) else [layers])
    }
    sizes["stem"] = sizes.pop("conv1") + sizes.pop("bn1") + sizes.pop("relu") + sizes.pop("maxpool")
    assert {"flatten": 0, **sizes} == found


@pytest.mark.parametrize("model", ["resnet18", "resnet50"])
def test_operations_are_exactly_those_that_torch_counts(model: str) -> None:
    """Of one network with each kind of block: torch takes seconds to count a deep one."""
    with torch.device("meta"):
        network, image = built(model, 7), torch.empty(1, 3, 97, 97)
    forward, whole = FlopCounterMode(display=False), FlopCounterMode(display=False)
    with whole:
        with forward:
            output = network(image)
        output.sum().backward()
    found = summary(model, 97, classes=7)
    assert found.operations == forward.get_total_flops()
    assert found.training_operations == whole.get_total_flops()


@pytest.mark.parametrize("model", MODELS)
def test_torchvision_documents_multiply_adds_which_are_half_as_many(model: str) -> None:
    documented = torchvision.models.get_model_weights(model).IMAGENET1K_V1.meta["_ops"]
    assert summary(model).operations / 2e9 == pytest.approx(documented, abs=6e-4)


IN_32_AND_16 = pytest.mark.parametrize(
    ("model", "image_size"), [("resnet18", 64), ("resnet50", 75)]
)


@IN_32_AND_16
def test_activations_are_the_bytes_that_autograd_keeps(model: str, image_size: int) -> None:
    assert kept(model, image_size, half=False) == (
        summary(model, image_size, classes=5, batch=3).activations
    )


@IN_32_AND_16
def test_in_16_bits_they_are_those_and_the_images_themselves(model: str, image_size: int) -> None:
    """Autograd keeps a copy of the images in 16 bits; theirs in 32 wait beside it."""
    images = 4 * 3 * 3 * image_size**2
    assert kept(model, image_size, half=True) + images == (
        summary(model, image_size, classes=5, batch=3).activations_half
    )


def kept(model: str, image_size: int, *, half: bool) -> int:
    """Bytes that autograd keeps of a batch of 3, but weights and statistics."""
    torch.manual_seed(0)
    network, images = built(model, 5), torch.zeros(3, 3, image_size, image_size)
    own = {
        each.untyped_storage().data_ptr() for each in (*network.parameters(), *network.buffers())
    }
    found: dict[int, Tensor] = {}

    def keep(value: Tensor) -> Tensor:
        found[value.untyped_storage().data_ptr()] = value
        return value

    with (
        saved_tensors_hooks(keep, lambda value: value),
        torch.autocast("cpu", dtype=torch.bfloat16, enabled=half),
    ):
        loss = nn.functional.cross_entropy(network(images), torch.zeros(3, dtype=torch.long))
    assert loss.requires_grad
    return sum(each.untyped_storage().nbytes() for place, each in found.items() if place not in own)
