"""A strategy and settings put together: what runs, and what is refused before anything starts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engine.errors import EXIT_WRONG_INPUT, StrategyError
from engine.plan.config import Settings
from engine.plan.machine import ANY, Machine
from engine.plan.runs import plan_runs
from engine.plan.strategies import STRATEGIES, Strategy, strategy
from engine.plan.switches import combine
from tests.plan.machines import APPLE, CPU, with_gpus

BASE: dict[str, Any] = {"model": "resnet18", "batch_size": 16, "image_size": 64}


def planned(names: str, machine: Machine = CPU, **settings: Any) -> dict[str, Settings]:
    """The settings of each run of an experiment."""
    chosen = tuple(strategy(name) for name in names.split(","))
    runs = plan_runs(Path("/data"), Settings(**{**BASE, **settings}), chosen, machine=machine)
    return {run.strategy.name: run.settings for run in runs}


def refused(names: str, machine: Machine = CPU, **settings: Any) -> str:
    with pytest.raises(StrategyError) as error:
        planned(names, machine, **settings)
    assert error.value.exit_code == EXIT_WRONG_INPUT
    return str(error.value)


@pytest.mark.parametrize(
    ("name", "asked", "trained"),
    [
        ("single", "auto", "fp32"),
        ("single", "fp32", "fp32"),
        ("amp", "auto", "mixed"),
        ("amp", "mixed", "mixed"),
        ("amp", "bf16", "bf16"),
        ("amp", "fp16", "fp16"),
        ("ddp", "auto", "fp32"),
        ("ddp", "fp16", "fp16"),
        ("gradient-checkpointing", "mixed", "mixed"),
    ],
)
def test_the_settings_refine_the_precision_of_a_strategy(
    name: str, asked: str, trained: str
) -> None:
    assert planned(name, precision=asked)[name].precision == trained


def test_tf32_refines_full_precision_where_gpus_have_it() -> None:
    trained = planned("single,amp,ddp", with_gpus(2), precision="tf32")
    assert [each.precision for each in trained.values()] == ["tf32", "mixed", "tf32"]
    for machine in (CPU, ANY, APPLE, with_gpus(2, bf16=False)):
        assert "TF32 needs an NVIDIA GPU" in refused("single", machine, precision="tf32")


def test_a_switch_applies_to_the_strategies_that_leave_it_open() -> None:
    trained = planned("single,amp,ddp", precision="fp16", nproc=3, gradient_checkpointing=True)
    assert [each.precision for each in trained.values()] == ["fp32", "fp16", "fp16"]
    assert [each.nproc for each in trained.values()] == [1, 1, 3]
    assert [each.gradient_checkpointing for each in trained.values()] == [False, True, True]


@pytest.mark.parametrize(
    ("names", "settings", "sentence"),
    [
        ("single", {"gradient_checkpointing": True}, "choose gradient-checkpointing for that"),
        ("single", {"precision": "bf16"}, "single has fp32; choose amp"),
        ("amp", {"precision": "fp32"}, "amp has mixed; choose single"),
        ("amp", {"precision": "tf32"}, "choose single"),
        ("single,amp", {"nproc": 2}, "means nothing to single and amp; choose dp, ddp or fsdp,"),
        ("ddp", {"stages": 2}, "choose gpipe or pipeline"),
        ("ddp", {"micro_batches": 2}, "choose gpipe or pipeline"),
        ("ddp", {"balance": (3, 9)}, "choose gpipe or pipeline"),
        ("gpipe", {"schedule": "1f1b"}, "choose pipeline"),
        ("pipeline", {"recompute": "never"}, "choose gpipe"),
        ("gpipe", {"sync_bn": True}, "choose ddp or fsdp"),
    ],
)
def test_a_switch_that_no_strategy_takes_is_refused_with_one_that_does(
    names: str, settings: dict[str, Any], sentence: str
) -> None:
    assert sentence in refused(names, **settings)


def test_defaults_of_a_file_apply_where_they_can() -> None:
    chosen = (strategy("single"),)
    settings = Settings(micro_batches=4, gradient_checkpointing=True, precision="bf16")
    (run,) = plan_runs(Path("/data"), settings, chosen, given={"epochs"})
    assert (run.settings.micro_batches, run.settings.gradient_checkpointing) == (None, False)
    assert run.settings.precision == "fp32"
    with pytest.raises(StrategyError, match="--micro-batches"):
        plan_runs(Path("/data"), settings, chosen, given={"micro_batches"})


@pytest.mark.parametrize(
    ("name", "settings", "sentence"),
    [
        ("gpipe", {"compile": True}, "torch.compile crashes under torchgpipe"),
        ("pipeline", {"compile": True}, "pipeline cannot be compiled"),
        ("gradient-checkpointing", {"compile": True}, "together with gradient checkpointing"),
        ("ddp", {"sync_bn": True}, "SyncBatchNorm needs GPUs"),
        ("pipeline", {"micro_batches": 1, "schedule": "1f1b"}, "--schedule gpipe"),
        ("gpipe", {"gradient_checkpointing": True, "recompute": "never"}, "leave one of them out"),
        ("gpipe", {"balance": (3, 9), "stages": 3}, "give 3 numbers"),
        ("gpipe", {"balance": (3, 8)}, "add up to 12"),
        ("pipeline", {"balance": (10, 1, 1)}, "stage 2 has no weights"),
        ("gpipe", {"stages": 11}, "into 10 at most"),
        ("pipeline", {"balance": (12,)}, "as 3,9"),
        ("pipeline", {"nproc": 2, "stages": 3}, "give as many"),
        ("gpipe", {"nproc": 2, "stages": 3}, "--nproc 1 to share one"),
        ("pipeline", {"nproc": 1}, "leave it out"),
        ("gpipe", {"micro_batches": 17}, "give 16 or fewer"),
        ("gpipe", {"micro_batches": 9, "accumulate": 2}, "a batch of 8 images"),
        ("gpipe", {"micro_batches": 7}, "of equal size they become 6; give 6 or 8"),
        ("pipeline", {"micro_batches": 5, "accumulate": 2}, "they become 4; give 4 or 8"),
        ("ddp", {"nproc": 17}, "between 17 devices"),
        ("single", {"accumulate": 17}, "in 17 parts"),
        ("gpipe", {"accumulate": 17}, "in 17 parts"),
        ("pipeline", {"accumulate": 17, "micro_batches": 2}, "in 17 parts"),
        ("single", {"batch_size": 1, "image_size": 32}, "normalisation needs two at 32 px"),
        ("ddp", {"nproc": 9, "image_size": 32}, "two images for each device (batch size 16)"),
        ("single", {"accumulate": 9, "image_size": 32}, "two images for each part"),
        ("gpipe", {"micro_batches": 16, "image_size": 32}, "two images for each micro-batch"),
        ("single", {"nesterov": True, "optimizer": "adamw"}, "give --no-nesterov, or --optimizer"),
        ("ddp", {"nesterov": True, "momentum": 0.0}, "without momentum (--momentum 0)"),
        ("single", {"lr": 0.1, "lr_floor": 0.2}, "learning rate of 0.2 (--lr-floor) where the"),
        ("single", {"lr": 0.1, "lr_floor": 0.1, "scale_lr": True, "batch_size": 64}, "is 0.025"),
        ("pipeline", {"freeze": True}, "give --weights imagenet or a checkpoint"),
    ],
)
def test_what_cannot_be_combined_is_told_before_anything_starts(
    name: str, settings: dict[str, Any], sentence: str
) -> None:
    assert sentence in refused(name, **settings)


def test_data_parallel_is_not_compiled() -> None:
    assert "dp cannot be compiled" in refused("dp", with_gpus(2), compile=True)
    assert planned("ddp", with_gpus(2), compile=True)["ddp"].compile


def test_one_image_at_a_time_is_fine_where_feature_maps_are_larger() -> None:
    assert planned("ddp", nproc=16, image_size=33)["ddp"].nproc == 16


def test_one_image_at_a_time_is_fine_for_a_frozen_network() -> None:
    settings: dict[str, Any] = {"batch_size": 1, "image_size": 32, "weights": "imagenet"}
    assert planned("single", **settings, freeze=True)


def test_the_same_training_twice_is_refused() -> None:
    twin = Strategy(name="twin", explanation="", precision="mixed")
    with pytest.raises(StrategyError, match="amp and twin are the same training; leave one out"):
        plan_runs(Path("/data"), Settings(), (strategy("amp"), twin))
    # What means nothing to either does not make them differ.
    odd = Strategy(name="odd", explanation="", precision="mixed", channels_last="no")
    assert len(plan_runs(Path("/data"), Settings(), (strategy("amp"), odd))) == 2


@pytest.mark.parametrize(
    ("name", "machine", "settings", "nproc", "stages", "micro_batches", "schedule"),
    [
        ("single", with_gpus(4), {}, 1, None, None, "gpipe"),
        ("ddp", CPU, {}, 2, None, None, "gpipe"),
        ("ddp", CPU, {"nproc": 5}, 5, None, None, "gpipe"),
        ("dp", with_gpus(4), {}, 4, None, None, "gpipe"),
        ("fsdp", with_gpus(4), {"gpus": (0, 2)}, 2, None, None, "gpipe"),
        ("gpipe", CPU, {}, 2, 2, 8, "gpipe"),
        ("gpipe", CPU, {"nproc": 3}, 3, 3, 8, "gpipe"),
        ("gpipe", with_gpus(1), {}, 1, 2, 8, "gpipe"),
        ("gpipe", with_gpus(4), {}, 4, 4, 16, "gpipe"),
        ("gpipe", with_gpus(4), {"balance": (3, 4, 5)}, 3, 3, 8, "gpipe"),
        ("gpipe", with_gpus(2), {"stages": 3}, 1, 3, 8, "gpipe"),
        ("pipeline", CPU, {}, 2, 2, 8, "1f1b"),
        ("pipeline", CPU, {"stages": 3}, 3, 3, 8, "1f1b"),
        ("pipeline", CPU, {"micro_batches": 1}, 2, 2, 1, "gpipe"),
        ("pipeline", CPU, {"schedule": "gpipe"}, 2, 2, 8, "gpipe"),
        ("pipeline", with_gpus(12), {"batch_size": 12}, 10, 10, 12, "1f1b"),
        ("pipeline", CPU, {"batch_size": 7}, 2, 2, 7, "1f1b"),
        ("pipeline", CPU, {"batch_size": 23}, 2, 2, 1, "gpipe"),
        ("pipeline", CPU, {"batch_size": 12, "accumulate": 2}, 2, 2, 6, "1f1b"),
        ("pipeline", CPU, {"batch_size": 8, "image_size": 32}, 2, 2, 4, "1f1b"),
    ],
)
def test_what_is_left_open_is_decided_by_the_machine(
    name: str,
    machine: Machine,
    settings: dict[str, Any],
    nproc: int,
    stages: int | None,
    micro_batches: int | None,
    schedule: str,
) -> None:
    run = planned(name, machine, **settings)[name]
    assert (run.nproc, run.stages, run.micro_batches) == (nproc, stages, micro_batches)
    assert run.schedule == schedule


def test_gpipe_recomputes_as_it_is_asked_to() -> None:
    assert planned("gpipe")["gpipe"].recompute == "except_last"
    assert planned("gpipe", recompute="never")["gpipe"].recompute == "never"
    assert planned("gpipe", gradient_checkpointing=True)["gpipe"].recompute == "always"


def test_gpipe_on_one_of_several_gpus_uses_no_other() -> None:
    assert planned("gpipe", with_gpus(4))["gpipe"].gpus is None
    assert planned("gpipe", with_gpus(4), nproc=1)["gpipe"].gpus == (0,)
    assert planned("gpipe", with_gpus(2), stages=3)["gpipe"].gpus == (0,)
    assert planned("gpipe", with_gpus(4), nproc=1, gpus=(3, 1))["gpipe"].gpus == (3,)


@pytest.mark.parametrize("machine", [CPU, with_gpus(1), with_gpus(4), APPLE])
@pytest.mark.parametrize("device", ["auto", "cpu"])
def test_all_runs_of_an_experiment_train_on_the_same_kind_of_device(
    machine: Machine, device: str
) -> None:
    chosen = []
    for each in STRATEGIES:
        try:
            planned(each.name, machine, device=device)
        except StrategyError:
            continue
        chosen.append(each.name)
    runs = planned(",".join(chosen), machine, device=device)
    kind = machine.best if device == "auto" else device
    assert {run.device for run in runs.values()} == {kind}
    if kind == "cuda" and len(machine.devices) == 1:
        # Processes on the CPU would be compared with a GPU.
        assert not {"ddp", "fsdp", "pipeline"} & runs.keys()


SETTINGS = st.fixed_dictionaries(
    {"model": st.sampled_from(["resnet18", "resnet50"]), "image_size": st.sampled_from([32, 64])},
    optional={
        "batch_size": st.integers(1, 70),
        "device": st.sampled_from(["auto", "cpu", "cuda", "mps"]),
        "gpus": st.lists(st.integers(0, 4), min_size=1, unique=True).map(tuple),
        "precision": st.sampled_from(["auto", "fp32", "tf32", "mixed", "bf16", "fp16"]),
        "gradient_checkpointing": st.booleans(),
        "accumulate": st.integers(1, 5),
        "nproc": st.integers(1, 5),
        "stages": st.integers(2, 5),
        "micro_batches": st.integers(1, 9),
        "schedule": st.sampled_from(["auto", "gpipe", "1f1b"]),
        "balance": st.sampled_from([(3, 9), (3, 17), (4, 4, 4), (12,)]),
        "recompute": st.sampled_from(["auto", "always", "except_last", "never"]),
        "compile": st.booleans(),
        "sync_bn": st.booleans(),
    },
)


@given(
    settings=SETTINGS,
    names=st.lists(st.sampled_from(STRATEGIES), min_size=1, max_size=3, unique=True),
    machine=st.sampled_from([ANY, CPU, APPLE, with_gpus(1), with_gpus(2), with_gpus(4)]),
)
@example(settings={}, names=[strategy("gpipe")], machine=with_gpus(1))
@example(settings={"stages": 3}, names=[strategy("gpipe")], machine=with_gpus(2))
@example(settings={"device": "cuda"}, names=[strategy("single")], machine=ANY)
def test_any_combination_is_decided_or_refused_with_a_sentence(
    settings: dict[str, Any], names: list[Strategy], machine: Machine
) -> None:
    wanted = Settings(**settings)
    try:
        runs = plan_runs(Path("/data"), wanted, tuple(names), machine=machine)
    except StrategyError as error:
        assert len(str(error)) > 20
        return
    assert len({run.settings.device for run in runs}) == 1
    for run in runs:
        made = run.settings
        assert "auto" not in (made.precision, made.schedule, made.recompute)
        assert machine is ANY or made.device != "auto"
        assert made.nproc is not None
        assert run.ranks == (made.nproc if run.strategy.launched_by_torchrun else 1)
        if run.strategy.parallelism in ("gpipe", "pipeline"):
            assert made.stages is not None and made.micro_batches is not None
            assert made.micro_batches * made.accumulate <= made.batch_size
            assert made.schedule == "gpipe" or made.micro_batches >= made.stages
        else:
            assert (made.stages, made.micro_batches, made.balance) == (None, None, None)
        if made.device == "cuda" and machine is not ANY:
            there = len(wanted.gpus or machine.devices)
            assert made.nproc <= there
        # Decided once, decided for good.
        assert combine(run.strategy, made, machine) == made
