"""Running statistics move once per step, by all images of it, whatever the step is made of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from engine.train import norm
from engine.train.augment import MEAN, STD
from engine.train.batch import Batch
from engine.train.clocks import HostClock
from engine.train.strategies.none import NoParallelism
from tests.train.laboratory import CPU, network
from tests.train.making import plan


def _batch(images: int, seed: int = 0, side: int = 48) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    pixels = torch.randint(0, 256, (images, side, side, 3), dtype=torch.uint8, generator=generator)
    labels = torch.randint(0, 4, (images,), generator=generator)
    return Batch("train", 0, pixels, labels, [])


def _trained(model: nn.Module, batches: list[Batch], **settings: Any) -> dict[str, Tensor]:
    """The state after one step per batch."""
    made = plan(Path("unused"), "gradient-checkpointing", image_size=48, **settings)
    strategy, clock = NoParallelism(), HostClock(1)
    strategy.prepare(made, model, [CPU])
    for batch in batches:
        parts = batch.parts(made.settings.accumulate)
        for part in parts:
            strategy.forward_backward(part, len(batch), clock, part is parts[-1])
        strategy.update(0.05, None, clock)
    state: dict[str, Tensor] = strategy.capture()["state_dict"]
    return state


def _plainly(model: nn.Module, batches: list[Batch]) -> dict[str, Tensor]:
    """The same by torch alone: no strategy, no switch."""
    model.train()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-4)
    mean, std = (torch.tensor(each, dtype=torch.float64) for each in (MEAN, STD))
    for batch in batches:
        images = ((batch.images.double() / 255 - mean) / std).permute(0, 3, 1, 2)
        optimizer.zero_grad()
        torch.autograd.backward(nn.functional.cross_entropy(model(images), batch.labels))
        optimizer.step()
    return dict(model.state_dict())


def test_checkpointing_moves_statistics_as_torch_does_without_it() -> None:
    batches = [_batch(7, seed=1), _batch(7, seed=2), _batch(3, seed=3)]
    seen, wanted = _trained(network("batch"), batches), _plainly(network("batch"), batches)
    assert seen.keys() == wanted.keys()
    for name, value in wanted.items():
        torch.testing.assert_close(seen[name], value, rtol=1e-9, atol=1e-10, msg=name)
    assert int(seen["bn1.num_batches_tracked"]) == 3


@pytest.mark.parametrize("parts", [2, 3, 7])
def test_parts_of_a_step_move_statistics_by_the_whole_batch(parts: int) -> None:
    """Known of the first layer alone: deeper ones see what parts were normalised by."""
    seen = _trained(network("batch"), [_batch(7)], accumulate=parts)
    wanted = _plainly(network("batch"), [_batch(7)])
    for name in ("bn1.running_mean", "bn1.running_var", "bn1.num_batches_tracked"):
        torch.testing.assert_close(seen[name], wanted[name], rtol=1e-10, atol=1e-12)


class Loud(nn.Module):
    """A normalisation that sees large numbers in half precision, as deep layers do."""

    def __init__(self, scale: float) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 1, bias=False)
        nn.init.constant_(self.conv.weight, scale)
        self.bn = nn.BatchNorm2d(4)

    def forward(self, images: Tensor) -> Tensor:
        maps: Tensor = self.bn(self.conv(images))
        return maps.mean(dim=(2, 3))


def test_statistics_of_large_activations_in_fp16_are_right() -> None:
    """Sums of their squares are far beyond 65504, the largest number there is in fp16."""
    batch, scale = _batch(8), 500.0
    made = plan(Path("unused"), "ddp", precision="fp16", accumulate=3, image_size=48)
    strategy, clock = NoParallelism(), HostClock(1)
    strategy.prepare(made, Loud(scale), [CPU])
    assert strategy.precision == "fp16"
    for part in batch.parts(3):
        strategy.forward_backward(part, 8, clock)
    strategy.update(0.0001, None, clock)
    images = strategy._arithmetic.images(batch).double()
    activations = scale * images.sum(dim=1)
    state = strategy.capture()["state_dict"]
    wanted = 0.9 + 0.1 * activations.var(), 0.1 * activations.mean()
    assert activations.square().mean() > 65504
    for value in state["bn.running_var"]:
        assert float(value) == pytest.approx(float(wanted[0]), rel=2e-3)
    for value in state["bn.running_mean"]:
        assert float(value) == pytest.approx(float(wanted[1]), abs=2e-3 * float(wanted[0] ** 0.5))


def test_a_recomputation_notes_nothing() -> None:
    layer = nn.Sequential(nn.BatchNorm2d(3))
    norm.defer(layer)
    once = torch.randn(4, 3, 2, 2)
    layer(once)
    with norm.recomputing():
        layer(once + 100.0)
    norm.commit(layer)
    assert float(layer.state_dict()["0.running_mean"].abs().max()) < 1.0
    assert int(layer.state_dict()["0.num_batches_tracked"]) == 1


def test_synchronised_layers_wait_as_others_do() -> None:
    """Without other ranks a synchronised layer computes on a CPU too."""
    plain = nn.Sequential(nn.BatchNorm2d(3))
    layer = nn.SyncBatchNorm.convert_sync_batchnorm(nn.Sequential(nn.BatchNorm2d(3)))  # type: ignore[no-untyped-call]
    norm.defer(layer)
    values = torch.randn(4, 3, 2, 2)
    torch.testing.assert_close(layer(values), plain(values))
    assert int(layer.state_dict()["0.num_batches_tracked"]) == 0
    norm.commit(layer)
    for name, value in plain.state_dict().items():
        torch.testing.assert_close(layer.state_dict()[name], value)
