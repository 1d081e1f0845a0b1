"""What memory a training will take: known answers, and what holds whatever the numbers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.plan.config import Settings
from engine.plan.footprint import Footprint, footprint, largest_batch, remembered
from engine.plan.machine import Machine
from engine.plan.resnet_shapes import layers
from engine.plan.room import fitting_batch, size, smaller
from engine.plan.runs import RunPlan
from engine.plan.strategies import strategy
from engine.plan.switches import combine
from tests.plan.machines import CPU, with_gpus

MIB = 1 << 20


def planned(name: str = "single", machine: Machine = CPU, **settings: Any) -> RunPlan:
    chosen = strategy(name)
    combined = combine(chosen, Settings(**settings), machine)
    return RunPlan(run="01", strategy=chosen, settings=combined, dataset="/data")


def total(plan: RunPlan) -> int:
    found = footprint(plan, 10).total
    assert found is not None
    return found


def activations(name: str = "single", machine: Machine = CPU, **settings: Any) -> int:
    found = footprint(planned(name, machine, **settings), 10).activations
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("model", "parameters"),
    [
        # As torchvision documents them, for ImageNet's 1000 classes.
        ("resnet18", 11_689_512),
        ("resnet34", 21_797_672),
        ("resnet50", 25_557_032),
        ("resnet101", 44_549_160),
        ("resnet152", 60_192_808),
    ],
)
def test_parameters_are_those_of_torchvision(model: str, parameters: int) -> None:
    assert sum(each.parameters for each in layers(model, 224, 1000)) == parameters
    found = footprint(planned(model=model), 1000)
    assert (found.gradients, found.optimizer) == (4 * parameters, 4 * parameters)


def test_the_stem_by_hand() -> None:
    stem = layers("resnet18", 224, 10)[0]
    assert (stem.input, stem.kept) == (3 * 224 * 224, 2 * 64 * 112 * 112)
    assert (stem.indices, stem.output) == (64 * 56 * 56, 64 * 56 * 56)


def test_without_momentum_there_is_none() -> None:
    assert footprint(planned(momentum=0.0), 10).optimizer == 0


def test_what_optimisers_and_averages_remember() -> None:
    parameters = 4 * sum(each.parameters for each in layers("resnet18", 224, 10))
    statistics = 4 * sum(2 * each.channels for each in layers("resnet18", 224, 10))
    adamw = footprint(planned(model="resnet18", optimizer="adamw", ema=0.999), 10)
    assert (adamw.optimizer, adamw.averaged) == (2 * parameters, parameters + statistics)
    plain = planned(model="resnet18")
    assert total(planned(model="resnet18", ema=0.999)) == total(plain) + parameters + statistics
    assert [remembered(Settings(**each)) for each in REMEMBERED] == [1, 0, 2, 3]


REMEMBERED: list[dict[str, Any]] = [
    {},
    {"momentum": 0.0},
    {"optimizer": "adamw", "momentum": 0.0},
    {"optimizer": "adamw", "ema": 0.9},
]


def test_a_frozen_network_has_the_gradients_of_its_classifier_and_keeps_nothing() -> None:
    head = 4 * (512 * 10 + 10)
    small: dict[str, Any] = {"model": "resnet18", "batch_size": 64}
    frozen = {**small, "freeze": True, "weights": "imagenet"}
    found = footprint(planned(**frozen, ema=0.9), 10)
    assert (found.gradients, found.optimizer, found.averaged) == (head, head, head)
    # The images, and the output of the first convolution twice.
    assert found.activations == 64 * 4 * (3 * 224 * 224 + 2 * 64 * 112 * 112)
    shared = footprint(planned("fsdp", with_gpus(4), **frozen), 10)
    whole = footprint(planned("fsdp", with_gpus(4), **small), 10)
    assert (shared.weights, shared.gradients) == (whole.weights, head // 4)
    staged = planned("gpipe", with_gpus(2), **frozen, balance=(4, 8))
    assert "frozen" in footprint(staged, 10).unknown


def test_of_averages_that_are_spread_each_rank_has_its_part() -> None:
    plain = footprint(planned("ddp", with_gpus(4), batch_size=64, ema=0.9), 10)
    spread = footprint(planned("fsdp", with_gpus(4), batch_size=64, ema=0.9), 10)
    assert plain.gradients is not None
    assert plain.averaged - spread.averaged == pytest.approx(0.75 * plain.gradients, abs=4)


def test_what_switches_and_strategies_spare() -> None:
    plain = activations(batch_size=64)
    assert activations(batch_size=32) == pytest.approx(plain / 2, rel=0.001)
    assert activations("amp", batch_size=64) == pytest.approx(plain / 2, rel=0.1)
    assert activations("gradient-checkpointing", batch_size=64) < plain / 2
    assert activations(batch_size=64, accumulate=4) == activations(batch_size=16)
    gpus = with_gpus(4)
    assert activations("ddp", gpus, batch_size=64) == activations(batch_size=16)
    # The images of the other GPUs come to the first one.
    images = 48 * 3 * 224 * 224 * 4
    assert activations("dp", gpus, batch_size=64) == activations(batch_size=16) + images


def test_fsdp_holds_its_part_and_gathers_layers() -> None:
    whole = footprint(planned(batch_size=64), 1000)
    part = footprint(planned("fsdp", with_gpus(4), batch_size=64), 1000)
    assert whole.weights is not None
    assert part.weights is not None
    assert (part.gradients, part.optimizer) == (25_557_032, 25_557_032)
    assert part.weights < whole.weights / 3.9
    assert 0 < part.gathered < whole.weights


def test_a_pipeline_is_unknown_until_it_is_cut() -> None:
    for name in ("gpipe", "pipeline"):
        found = footprint(planned(name, with_gpus(2)), 10)
        assert found.total is None
        assert found.activations is None
        assert "measured" in found.unknown
        assert footprint(planned(name, with_gpus(2), balance=(5, 15)), 10).total is not None
    assert footprint(planned(compile=True), 10).activations is None
    assert "torch.compile" in footprint(planned(compile=True), 10).unknown


def test_gpipe_spares_what_it_computes_again() -> None:
    cut: dict[str, Any] = {"balance": (5, 15), "batch_size": 64, "micro_batches": 8}
    gpus = with_gpus(2)
    found = {
        how: activations("gpipe", gpus, recompute=how, **cut)
        for how in ("never", "except_last", "always")
    }
    assert found["always"] <= found["except_last"] < found["never"] / 4
    # Stages on one device have it all together.
    alone = total(planned("gpipe", gpus, nproc=1, recompute="never", **cut))
    assert alone > total(planned("gpipe", gpus, recompute="never", **cut))
    assert alone == pytest.approx(total(planned(batch_size=64)), rel=0.001)
    on_cpu = total(planned("gpipe", CPU, device="cpu", recompute="never", **cut))
    assert on_cpu == alone


def test_taking_turns_keeps_fewer_micro_batches() -> None:
    cut: dict[str, Any] = {"balance": (5, 15), "batch_size": 64, "micro_batches": 8}
    in_turn = activations("pipeline", with_gpus(2), schedule="1f1b", **cut)
    all_first = activations("pipeline", with_gpus(2), schedule="gpipe", **cut)
    # The first of two stages has 2 of 8 micro-batches on their way; images have their room anyway.
    assert in_turn < 0.45 * all_first


@given(
    name=st.sampled_from(["single", "amp", "gradient-checkpointing", "ddp", "fsdp"]),
    model=st.sampled_from(["resnet18", "resnet50"]),
    side=st.integers(33, 300),
    room=st.integers(0, 40_000 * MIB),
    accumulate=st.integers(1, 5),
)
def test_the_largest_batch_fits_and_the_next_one_does_not(
    name: str, model: str, side: int, room: int, accumulate: int
) -> None:
    plan = planned(
        name, with_gpus(3), model=model, image_size=side, batch_size=64, accumulate=accumulate
    )

    def needs(batch: int) -> int:
        return total(replace(plan, settings=replace(plan.settings, batch_size=batch)))

    found = largest_batch(plan, 10, room)
    if found is None:
        assert needs(1) > room
    else:
        assert needs(found) <= room < needs(found + 1)


def test_the_batch_that_would_fit_is_smaller_than_the_one_that_did_not() -> None:
    plan = planned(batch_size=64)
    assert fitting_batch(plan, 10, 1000 * total(plan)) == 32
    exactly = replace(plan, settings=replace(plan.settings, batch_size=27))
    assert fitting_batch(plan, 10, total(exactly)) == 24
    assert fitting_batch(plan, 10, 10 * MIB) == 0
    assert fitting_batch(plan, 10, None) is None
    assert fitting_batch(planned("gpipe", with_gpus(2)), 10, 1 << 40) is None


def test_what_to_do_is_said_in_words() -> None:
    plan = planned(batch_size=64)
    assert "about 32 would fit (an estimate)" in smaller(plan, 10, 1000 * total(plan))
    assert "not even one image" in smaller(plan, 10, 10 * MIB)
    assert "to 32 or less" in smaller(plan, None, None)
    assert "not even one image" in smaller(planned(batch_size=1), 10, None)
    assert [size(n) for n in (12, 5 * MIB, 1536 * MIB)] == ["12 bytes", "5 MiB", "1.5 GiB"]


def test_an_unknown_part_makes_the_total_unknown() -> None:
    assert Footprint(weights=1, gradients=2, optimizer=3).total is None
    assert Footprint(weights=1, gradients=2, optimizer=3, activations=4, gathered=5).total == 15
