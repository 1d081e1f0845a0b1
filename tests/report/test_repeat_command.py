from __future__ import annotations

import argparse
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as some

from engine.errors import ResnetTuiError
from engine.plan import defaults, options
from engine.plan.config import Settings
from engine.plan.machine import ANY, Device, Machine
from engine.plan.recipes import NAMES
from engine.plan.runs import RunPlan, plan_runs
from engine.plan.strategies import STRATEGIES, Strategy, strategy
from engine.report.repeat_command import repeat_command
from tui.commands import train

CPU = Machine(torch="2.15", cores=2)
GPUS = Machine(
    torch="2.15",
    cores=16,
    devices=tuple(
        Device(kind="cuda", index=each, name="GPU", bf16=True, uuid=f"GPU-{each}")
        for each in range(4)
    ),
)


def planned(chosen: Strategy, machine: Machine = CPU, **given: Any) -> tuple[RunPlan, ...]:
    return plan_runs(Path("/data/my photos"), Settings(**given), (chosen,), machine)


def parsed(line: str, machine: Machine) -> tuple[RunPlan, ...]:
    """What ``resnet-tui train`` makes of the line."""
    program, command, *words = shlex.split(line)
    assert (program, command) == ("resnet-tui", "train")
    parser = argparse.ArgumentParser(allow_abbrev=False)
    train.add_arguments(parser)
    arguments = parser.parse_args(words)
    given = options.chosen(arguments)
    resolved = defaults.resolve(Path(arguments.dataset), given)
    return plan_runs(
        Path(arguments.dataset),
        resolved.settings,
        (strategy(*arguments.strategy),),
        machine,
        defaults.asked_for(resolved.sources),
    )


def test_only_what_is_not_as_usual_is_said() -> None:
    (run,) = planned(strategy("amp"), model="resnet18", image_size=64)
    assert repeat_command(run) == (
        "resnet-tui train '/data/my photos' --strategy amp --model resnet18 --image-size 64 "
        "--device cpu"
    )
    *_, third = planned(strategy("single"), ANY, repeats=3, flip=False, seed=7)
    assert repeat_command(third) == (
        "resnet-tui train '/data/my photos' --strategy single --repeats 3 --no-flip --seed 7"
    )


def test_a_best_batch_is_said_and_its_search_is_not() -> None:
    (run,) = planned(strategy("single"), ANY, find_batch=True, memory_budget=2.0)
    best = replace(run, view="best", settings=replace(run.settings, batch_size=512))
    assert repeat_command(best).endswith("--strategy single --batch-size 512")


def test_a_recipe_is_named_and_only_what_differs_from_it_is_said(tmp_path: Path) -> None:
    def line(**given: Any) -> str:
        settings = defaults.resolve(tmp_path, given).settings
        (run,) = plan_runs(tmp_path, settings, (strategy("single"),), ANY)
        assert parsed(repeat_command(run), ANY)[0].settings == run.settings
        return repeat_command(run)

    start = f"resnet-tui train {tmp_path} --strategy single"
    assert line(recipe="imagenet") == f"{start} --recipe imagenet"
    # What is as without a recipe must be said where the recipe has it otherwise.
    assert line(recipe="imagenet", scale_lr=False, epochs=3) == (
        f"{start} --recipe imagenet --epochs 3 --no-scale-lr"
    )
    (tmp_path / "resnet-tui.toml").write_text("[training]\nrecipe = 'quick'\nepochs = 4\n")
    assert line() == start
    assert line(recipe="none", ema=None) == f"{start} --recipe none"


def test_a_strategy_that_came_twice_is_called_as_it_was_first() -> None:
    (run,) = planned(strategy("amp"), ANY, batch_size=32)
    again = replace(run, strategy=replace(run.strategy, name="amp-2"))
    assert "--strategy amp --batch-size 32" in repeat_command(again)
    own = replace(run, strategy=replace(run.strategy, name="mine", accumulate=2))
    assert "--strategy mine" in repeat_command(own)


def test_what_files_say_of_the_dataset_is_said_otherwise(tmp_path: Path) -> None:
    (tmp_path / "resnet-tui.toml").write_text("[training]\nimage_size = 32\nmax_steps = 5\n")
    (run,) = plan_runs(tmp_path, Settings(image_size=224), (strategy("single"),), ANY)
    line = repeat_command(run)
    assert line.endswith("--strategy single --image-size 224 --max-steps auto")
    assert parsed(line, ANY)[0].settings == run.settings
    (tmp_path / "resnet-tui.toml").write_text("[training]\nimage_size = 'large'\n")
    assert repeat_command(run) == f"resnet-tui train {tmp_path} --strategy single"


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much],
)
@given(
    chosen=some.sampled_from(STRATEGIES),
    machine=some.sampled_from([CPU, GPUS]),
    values=some.fixed_dictionaries(
        {},
        optional={
            "model": some.sampled_from(["resnet18", "resnet152"]),
            "epochs": some.integers(1, 1000),
            "batch_size": some.sampled_from([8, 64, 96, 1000]),
            "repeats": some.integers(1, 5),
            "lr": some.floats(1e-6, 10),
            "recipe": some.sampled_from(["none", *NAMES]),
            "warmup_epochs": some.none() | some.floats(0, 5),
            "ema": some.none() | some.floats(0.1, 0.9),
            "scale_lr": some.booleans(),
            "label_smoothing": some.sampled_from([0.0, 0.1]),
            "seed": some.integers(0, 2**30),
            "workers": some.none() | some.integers(0, 16),
            "device": some.sampled_from(["auto", "cpu", "cuda"]),
            "precision": some.sampled_from(["auto", "fp32", "tf32", "mixed", "bf16", "fp16"]),
            "gradient_checkpointing": some.booleans(),
            "accumulate": some.sampled_from([1, 2]),
            "nproc": some.none() | some.integers(1, 4),
            "stages": some.none() | some.integers(2, 4),
            "micro_batches": some.none() | some.sampled_from([2, 4]),
            "schedule": some.sampled_from(["auto", "gpipe", "1f1b"]),
            "balance": some.none() | some.just((4, 9)),
            "recompute": some.sampled_from(["auto", "always", "never"]),
            "compile": some.booleans(),
            "channels_last": some.sampled_from(["auto", "yes", "no"]),
            "sync_bn": some.booleans(),
            "hang_timeout": some.floats(0.001, 1e5),
            "flip": some.booleans(),
            "max_steps": some.none() | some.integers(1, 10),
            "max_time": some.none() | some.floats(0.001, 1e6),
            "find_batch": some.booleans(),
            "memory_budget": some.none() | some.floats(0.1, 100),
            "target_accuracy": some.none() | some.floats(0.01, 1),
            "price": some.none() | some.floats(0, 10),
        },
    ),
)
def test_the_line_is_parsed_to_the_same_training(
    chosen: Strategy, machine: Machine, values: dict[str, Any]
) -> None:
    try:
        runs = planned(chosen, machine, **values)
    except ResnetTuiError:
        assume(False)
    again = parsed(repeat_command(runs[-1]), machine)
    # But for the search, whose result would be the batch size.
    expected = [replace(run.settings, find_batch=False, memory_budget=None) for run in runs]
    assert [run.settings for run in again] == expected
    assert [run.strategy for run in again] == [run.strategy for run in runs]


@pytest.mark.parametrize("name", [each.name for each in STRATEGIES])
def test_every_preset_needs_little_to_be_said(name: str) -> None:
    machine = GPUS if name == "dp" else CPU
    (run,) = planned(strategy(name), machine)
    words = shlex.split(repeat_command(run))[5:]
    assert [word for word in words if word.startswith("--")] in (
        ["--device"],
        ["--nproc", "--device"],
    )
