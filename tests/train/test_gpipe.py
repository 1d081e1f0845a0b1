from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import torchgpipe
import torchvision
from torch import nn

from engine.errors import SettingError, TrainingError
from engine.journal.events import PipelinePlanned
from engine.train.metrics import add_up
from engine.train.strategies.gpipe import GPipe
from engine.train.strategies.none import NoParallelism
from engine.train.updater import gather_in_first
from tests.train.laboratory import Narrow, network
from tests.train.making import plan
from tests.train.staging import CPU, Ends, batch, step


def _prepared(
    model: nn.Module, stages: int = 2, *, balance: tuple[int, ...] | None = None, **settings: Any
) -> tuple[GPipe, PipelinePlanned]:
    """``balance`` is of these small networks: no plan that knows real ones would have it."""
    strategy = GPipe()
    made = plan(Path("unused"), "gpipe", **{"stages": stages, "micro_batches": 4, **settings})
    made = replace(made, settings=replace(made.settings, balance=balance))
    events = strategy.prepare(made, model, [CPU] * stages)
    (planned,) = (each for each in events if isinstance(each, PipelinePlanned))
    return strategy, planned


def _plain(network: nn.Module, **settings: Any) -> NoParallelism:
    strategy = NoParallelism()
    strategy.prepare(plan(Path("unused"), **settings), network, [CPU])
    return strategy


def test_what_is_planned_is_told_before_the_first_step() -> None:
    _, planned = _prepared(network("group"), stages=3)
    assert planned.schedule == "gpipe"
    assert planned.micro_batches == 4
    assert planned.layers == (
        *("stem", "layer1_0", "layer2_0", "layer3_0", "layer4_0"),
        *("avgpool", "flatten", "fc"),
    )
    assert sum(planned.balance) == len(planned.layers)
    assert len(planned.balance) == len(planned.devices) == 3
    assert len(planned.layer_seconds) == len(planned.layer_bytes) == len(planned.layers)
    assert not planned.given
    assert not planned.overlaps  # Three stages on one CPU.


def test_a_balance_that_is_given_is_used_and_nothing_is_profiled() -> None:
    strategy, planned = _prepared(network("group"), balance=(3, 5))
    assert planned.balance == (3, 5)
    assert planned.given
    assert planned.layer_seconds == planned.layer_bytes == ()
    first = strategy._network.get_submodule("partitions.0")
    assert {each.partition(".layers.")[2].partition(".")[0] for each in first.state_dict()} == {
        *("stem", "layer1_0", "layer2_0"),
    }


def test_a_balance_that_does_not_fit_is_refused() -> None:
    with pytest.raises(SettingError, match="adds up to 5 layers and the network has 8"):
        _prepared(network("group"), balance=(2, 3))


@pytest.mark.parametrize("recompute", ["always", "except_last", "never"])
@pytest.mark.parametrize("images", [8, 7, 3])
def test_running_statistics_move_once_by_those_of_the_whole_batch(
    recompute: str, images: int
) -> None:
    """Of the first layer: behind it micro-batches are normalised each by itself."""
    strategy, _ = _prepared(network("batch"), recompute=recompute, image_size=64)
    plain = _plain(network("batch"))
    for each in (strategy, plain):
        step(each, batch(images, side=64))
    own, wanted = (each.capture()["state_dict"] for each in (strategy, plain))
    for name in ("bn1.running_mean", "bn1.running_var"):
        torch.testing.assert_close(own[name], wanted[name], rtol=1e-12, atol=1e-14)
    counts = [value for name, value in own.items() if name.endswith("num_batches_tracked")]
    assert {int(each) for each in counts} == {1}


def _float() -> nn.Module:
    """Not narrower: torch 2.11 and 2.15 corrupt memory in the backward pass of a 1 x 1 convolution
    from 8 channels in float32 on a CPU, channels last."""
    torch.manual_seed(5)
    return Narrow(part=4)


@pytest.mark.parametrize("images", [8, 3])
def test_statistics_are_right_in_fp16_and_with_a_short_batch(images: int) -> None:
    """Sums of squares over a batch leave fp16's range; the mean of squares does not."""
    strategy, _ = _prepared(_float(), precision="fp16", image_size=64)
    plain = _plain(_float())
    for each in (strategy, plain):
        step(each, batch(images, side=64))
    assert strategy.precision == "fp16"
    own, wanted = (each.capture()["state_dict"] for each in (strategy, plain))
    for name in ("bn1.running_mean", "bn1.running_var"):
        torch.testing.assert_close(own[name], wanted[name], rtol=5e-3, atol=5e-4)
        assert own[name].dtype == torch.float32


def test_stages_compute_in_the_precision_asked_for_also_where_they_compute_again() -> None:
    model = _float()
    strategy, _ = _prepared(model, precision="bf16", recompute="always")
    seen: list[tuple[torch.dtype, bool]] = []
    model.get_submodule("layer2.0.conv1").register_forward_hook(
        lambda *each: seen.append((each[-1].dtype, torchgpipe.is_recomputing()))
    )
    step(strategy, batch(4))
    assert strategy.precision == "bf16"
    # Four micro-batches, each of them twice.
    assert sorted(seen, key=str) == [(torch.bfloat16, False)] * 4 + [(torch.bfloat16, True)] * 4


@pytest.mark.parametrize("images", [1, 5])
def test_a_lone_image_is_normalised_by_running_statistics(images: int) -> None:
    """The last micro-batch of 5 images in 4 is one of them."""
    strategy, _ = _prepared(network("batch"), recompute="always")
    tally, _ = step(strategy, batch(images))
    assert add_up([tally]).images == images
    assert torch.isfinite(tally).all()
    assert all(each.training for each in strategy._network.modules())


def test_a_batch_without_images_changes_nothing() -> None:
    strategy, _ = _prepared(network("batch"))
    before = strategy.capture()["state_dict"]
    tallies = [step(strategy, batch(0))[0], strategy.evaluate(None), strategy.evaluate(batch(0))]
    assert add_up(tallies).images == 0
    after = strategy.capture()["state_dict"]
    assert all(torch.equal(before[name], after[name]) for name in before)


@pytest.mark.parametrize("recompute", ["always", "never"])
@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), ValueError("broken")])
def test_whatever_ends_a_stage_ends_the_step_and_never_hangs(
    error: BaseException, backward: bool, recompute: str
) -> None:
    model = network("group")
    ends = Ends(model.get_submodule("layer3.0"))
    model.get_submodule("layer3").__setattr__("0", ends)
    strategy, _ = _prepared(model, recompute=recompute, balance=(2, 6))
    step(strategy, batch(4))
    ends.error, ends.backward = error, backward
    raised: list[BaseException] = []

    def attempt() -> None:
        try:
            step(strategy, batch(4))
        except BaseException as caught:  # noqa: BLE001
            raised.append(caught)

    thread = threading.Thread(target=attempt, daemon=True)
    thread.start()
    thread.join(20.0)
    assert not thread.is_alive(), "the step hangs"
    (caught,) = raised
    if isinstance(error, ValueError):
        assert caught is error
    else:
        assert isinstance(caught, TrainingError)
        where = "the pipeline" if backward else "stage 2 of the pipeline"
        assert f"{where} was ended by {type(error).__name__}" in str(caught)
        assert caught.__cause__ is error


def test_fp16_skips_a_step_that_overflows_in_one_stage_in_all_of_them() -> None:
    model = _float()
    strategy, _ = _prepared(model, precision="fp16", balance=(3, 5))
    before = strategy.capture()
    hook = model.get_submodule("fc").register_full_backward_pre_hook(
        lambda *each: (each[1][0] * float("inf"),)
    )
    _, applied = step(strategy, batch(4))
    hook.remove()
    after = strategy.capture()
    assert applied.item() == 0.0
    assert after["scaler"]["scale"] == before["scaler"]["scale"] / 2
    assert all(
        torch.equal(each, after["state_dict"][k]) for k, each in before["state_dict"].items()
    )


def test_a_step_that_overflows_on_two_devices_is_skipped() -> None:
    """A fused optimiser makes the step where the flags that it is given add up to 2."""
    weight = nn.Parameter(torch.ones(2))
    for flags, made in (((1.0, 1.0), False), ((0.0, 1.0), False), ((0.0, 0.0), True)):
        optimizer: Any = torch.optim.SGD([weight], lr=1.0, fused=True)
        weight.grad = torch.ones(2)
        found = [torch.tensor(each) for each in flags]
        gather_in_first(found)
        optimizer.found_inf = torch.stack(found).sum()
        before = weight.detach().clone()
        optimizer.step()
        assert torch.equal(before, weight) != made


def test_a_checkpoint_is_torchvisions_and_any_other_strategys() -> None:
    torch.manual_seed(0)
    model = torchvision.models.resnet50(num_classes=4)
    strategy, planned = _prepared(model, image_size=64)
    assert len(planned.layers) == 20
    step(strategy, batch(4, side=64))
    state = strategy.capture()
    fresh = torchvision.models.resnet50(num_classes=4)
    fresh.load_state_dict(state["state_dict"], strict=True)
    other = _plain(torchvision.models.resnet50(num_classes=4), model="resnet50", image_size=64)
    other.restore(state)
    assert list(other.capture()["state_dict"]) == list(state["state_dict"])
    momentum = other.capture()["optimizer"]["state"]
    assert list(momentum) == [name for name, _ in model.named_parameters()]
    again, _ = _prepared(torchvision.models.resnet50(num_classes=4), balance=(7, 13), image_size=64)
    again.restore(state)
    same = again.capture()["state_dict"]
    assert all(torch.equal(value, same[name]) for name, value in state["state_dict"].items())
