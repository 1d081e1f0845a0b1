from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy
from torch.utils._python_dispatch import TorchDispatchMode

from engine.journal.events import Notice
from engine.train.augment import MEAN, STD
from engine.train.batch import Batch
from engine.train.clocks import HostClock
from engine.train.metrics import add_up
from engine.train.model import build
from engine.train.strategies.base import Strategy
from engine.train.strategies.none import NoParallelism
from engine.train.telemetry import SLOTS, Telemetry
from tests.train.making import plan

CPU = torch.device("cpu")


def _prepared(name: str = "single", model: nn.Module | None = None, **more: Any) -> NoParallelism:
    made = plan(Path("unused"), name, momentum=0.9, weight_decay=1e-3, **more)
    strategy: Strategy = NoParallelism()
    strategy.prepare(made, model or build(made.settings, 4)[0], [CPU])
    assert isinstance(strategy, NoParallelism)
    return strategy


def _batch(images: int, side: int = 32, seed: int = 0) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    return Batch(
        part="train",
        epoch=0,
        images=torch.randint(
            0, 256, (images, side, side, 3), dtype=torch.uint8, generator=generator
        ),
        labels=torch.randint(0, 4, (images,), generator=generator),
        damaged=[],
    )


def _step(strategy: NoParallelism, batch: Batch, lr: float = 0.1) -> torch.Tensor:
    clock = HostClock(1)
    tally = strategy.forward_backward(batch, len(batch), clock)
    strategy.update(lr, None, clock)
    return tally


class Small(nn.Module):
    """Few weights and no normalisation: arithmetic that can be checked by hand."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.conv = nn.Conv2d(3, 4, 3)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        maps: torch.Tensor = self.conv(images)
        return maps.mean(dim=(2, 3))


def test_two_steps_are_sgd_with_momentum_on_the_mean_loss_of_each_batch() -> None:
    strategy = _prepared(model=Small())
    reference = Small().double()
    velocity = {name: torch.zeros_like(each) for name, each in reference.named_parameters()}
    for batch, lr in ((_batch(8, seed=1), 0.1), (_batch(3, seed=2), 0.05)):
        _step(strategy, batch, lr)
        mean, std = torch.tensor(MEAN).double(), torch.tensor(STD).double()
        images = ((batch.images.double() / 255 - mean) / std).permute(0, 3, 1, 2)
        reference.zero_grad()
        torch.autograd.backward(cross_entropy(reference(images), batch.labels))
        for name, each in reference.named_parameters():
            assert each.grad is not None
            velocity[name] = 0.9 * velocity[name] + each.grad + 1e-3 * each.data
            each.data -= lr * velocity[name]
    for name, value in strategy.capture()["state_dict"].items():
        torch.testing.assert_close(
            value.double(), reference.state_dict()[name], rtol=1e-4, atol=1e-6
        )


def test_the_gradient_is_cut_to_the_norm_asked_for() -> None:
    strategy = _prepared(model=Small())
    clock = HostClock(1)
    before = strategy.capture()["state_dict"]
    strategy.forward_backward(_batch(8), 8, clock)
    strategy.update(1.0, 1e-4, clock)
    moved = sum(
        float((value - before[name] * (1 - 1e-3)).square().sum())
        for name, value in strategy.capture()["state_dict"].items()
    )
    assert moved**0.5 == pytest.approx(1e-4, rel=0.05)


@pytest.mark.parametrize("name", ["single", "amp"])
def test_a_restored_strategy_goes_on_as_if_nothing_had_happened(name: str) -> None:
    first = _prepared(name)
    _step(first, _batch(4))
    state = first.capture()
    assert set(state["optimizer"]["state"]) == {each for each, _ in first._model.named_parameters()}
    second = _prepared(name, seed=99)
    second.restore(state)
    after = [_step(each, _batch(4, seed=3)) for each in (first, second)]
    assert torch.equal(*after)
    one, other = first.capture()["state_dict"], second.capture()["state_dict"]
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_amp_computes_in_bf16_and_keeps_its_weights_in_32_bits() -> None:
    strategy = _prepared("amp")
    seen: list[torch.dtype] = []
    strategy._model.get_submodule("fc").register_forward_hook(
        lambda *each: seen.append(each[-1].dtype)
    )
    _step(strategy, _batch(4))
    assert strategy.precision == "bf16"
    assert seen == [torch.bfloat16]
    assert {each.dtype for each in strategy._model.parameters()} == {torch.float32}
    assert _prepared().precision == "fp32"


def test_fp16_skips_a_step_that_overflows_and_says_so_on_the_device() -> None:
    strategy = _prepared("amp", model=Small(), precision="fp16")
    clock = HostClock(1)
    before = strategy.capture()
    strategy._model.get_submodule("conv").register_full_backward_pre_hook(
        lambda *each: (each[1][0] * 1e30,)
    )
    strategy.forward_backward(_batch(4), 4, clock)
    applied = strategy.update(0.1, None, clock)
    assert applied is not None
    assert applied.item() == 0.0
    after = strategy.capture()
    assert torch.equal(before["state_dict"]["conv.weight"], after["state_dict"]["conv.weight"])
    assert after["scaler"]["scale"] == before["scaler"]["scale"] / 2
    assert strategy.tolerance > 1


def test_fp16_on_a_cpu_is_called_slow() -> None:
    made = plan(Path("unused"), "amp", precision="fp16")
    (notice,) = NoParallelism().prepare(made, Small(), [CPU])
    assert isinstance(notice, Notice)
    assert "slower" in notice.text


def test_what_memory_held_before_is_no_momentum_of_a_skipped_first_step() -> None:
    strategy = _prepared("amp", model=Small(), precision="fp16")
    strategy._model.get_submodule("conv").register_full_backward_pre_hook(
        lambda *each: (each[1][0] * 1e30,)
    )
    _step(strategy, _batch(4))
    momentum = strategy.capture()["optimizer"]["state"]
    assert set(momentum) == {"conv.weight", "conv.bias"}
    assert all(not each["momentum_buffer"].any() for each in momentum.values())


@pytest.mark.parametrize("more", [{}, {"accumulate": 2}, {"gradient_checkpointing": True}])
def test_every_shape_is_computed_before_the_first_step_and_leaves_no_trace(
    more: dict[str, Any],
) -> None:
    warm, cold = (_prepared(batch_size=8, image_size=32, **more) for _ in range(2))
    before = {name: value.clone() for name, value in warm.capture()["state_dict"].items()}
    seen: list[int] = []
    hook = warm._model.get_submodule("fc").register_forward_hook(
        lambda _, inputs, __: seen.append(len(inputs[0]))
    )
    warm.warm_up((8, 3), 32)
    hook.remove()
    assert sum(seen) == 8 + 3
    assert all(
        torch.equal(before[name], value) for name, value in warm.capture()["state_dict"].items()
    )
    for strategy in (warm, cold):
        _step(strategy, _batch(8))
        _step(strategy, _batch(3, seed=1))
    after, expected = warm.capture()["state_dict"], cold.capture()["state_dict"]
    assert all(torch.equal(expected[name], value) for name, value in after.items())


class Reads(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Notes every operation of this thread that brings a number from the device to the host."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.seen: list[str] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func.overloadpacket.__name__ in ("_local_scalar_dense", "equal", "nonzero"):
            self.seen.append(str(func))
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("settings", [{}, {"precision": "bf16"}, {"precision": "fp16"}])
def test_a_step_reads_nothing_from_the_device(settings: dict[str, Any]) -> None:
    strategy = _prepared("amp" if settings else "single", model=Small(), **settings)
    telemetry = Telemetry(CPU, HostClock(SLOTS), strategy.tolerance)
    telemetry.begin_epoch()
    batch = _batch(4)
    with Reads() as reads:
        for step in range(3):
            telemetry.begin(step, 0.1)
            telemetry.loaded()
            tally = strategy.forward_backward(batch, 4, telemetry.clock)
            telemetry.end(tally, strategy.update(0.1, 1.0 if step == 2 else None, telemetry.clock))
    assert reads.seen == []
    with Reads() as reads:
        tally.sum().item()
    assert len(reads.seen) == 1  # such a read is seen


def test_a_lone_image_is_trained_on_without_statistics_of_its_own() -> None:
    strategy = _prepared()
    before = strategy.capture()["state_dict"]
    tally = _step(strategy, _batch(1))
    after = strategy.capture()["state_dict"]
    assert add_up([tally]).images == 1
    assert torch.equal(before["bn1.running_mean"], after["bn1.running_mean"])
    assert not torch.equal(before["conv1.weight"], after["conv1.weight"])
    assert all(each.training for each in strategy._model.modules())


def test_a_batch_without_images_changes_nothing() -> None:
    strategy = _prepared()
    before = strategy.capture()["state_dict"]
    assert add_up([_step(strategy, _batch(0))]).images == 0
    assert add_up([strategy.evaluate(None), strategy.evaluate(_batch(0))]).images == 0
    after = strategy.capture()["state_dict"]
    assert all(torch.equal(before[name], after[name]) for name in before)
