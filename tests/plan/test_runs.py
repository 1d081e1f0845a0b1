"""Which runs an experiment has, in which order, and those that come to it later."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import StrategyError
from engine.plan.config import Settings
from engine.plan.runs import (
    ExperimentPlan,
    RunPlan,
    interleaved,
    plan_added,
    plan_best,
    plan_runs,
    resized,
)
from engine.plan.strategies import STRATEGIES, Strategy, strategy
from tests.plan.machines import CPU

COUNT = st.integers(1, 8)


def plan(names: str = "single,amp,ddp", repeats: int = 3, **settings: Any) -> ExperimentPlan:
    asked = Settings(**{"batch_size": 64, "seed": 5, **settings, "repeats": repeats})
    chosen = tuple(strategy(name) for name in names.split(","))
    return ExperimentPlan(
        name="one",
        created=0.0,
        dataset="/data",
        settings=asked,
        runs=plan_runs(Path("/data"), asked, chosen, CPU),
        sources={},
    )


def order(runs: tuple[RunPlan, ...]) -> list[str]:
    return [run.strategy.name for run in runs]


def test_the_order_is_interleaved_and_rotated() -> None:
    made = plan()
    assert order(made.runs) == [
        *("single", "amp", "ddp"),
        *("amp", "ddp", "single"),
        *("ddp", "single", "amp"),
    ]
    assert [run.run for run in made.runs[:4]] == ["01-single", "02-amp", "03-ddp", "04-amp"]
    assert [run.settings.seed for run in made.runs] == [5, 5, 5, 6, 6, 6, 7, 7, 7]


@settings(max_examples=50, deadline=None)
@given(COUNT, COUNT)
def test_every_strategy_is_done_once_in_every_repeat(strategies: int, repeats: int) -> None:
    planned = interleaved(range(strategies), repeats)
    assert set(Counter(planned).values()) == {1}
    assert [repeat for repeat, _ in planned] == sorted(repeat for repeat, _ in planned)
    assert len(planned) == strategies * repeats


@settings(max_examples=50, deadline=None)
@given(COUNT)
def test_over_as_many_repeats_every_strategy_stands_once_on_every_place(strategies: int) -> None:
    planned = interleaved(range(strategies), strategies)
    places = {(number % strategies, thing) for number, (_, thing) in enumerate(planned)}
    assert len(places) == strategies**2


@settings(max_examples=50, deadline=None)
@given(st.permutations(STRATEGIES).map(lambda all_of: all_of[:4]), st.integers(1, 5))
def test_runs_of_one_repeat_share_a_seed_and_no_other_repeat_has_it(
    chosen: list[Strategy], repeats: int
) -> None:
    chosen = [each for each in chosen if each.name != "dp"]  # It needs GPUs.
    runs = plan_runs(Path("/data"), Settings(seed=3, repeats=repeats), tuple(chosen), CPU)
    assert {(run.repeat, run.settings.seed) for run in runs} == {
        (repeat, 3 + repeat) for repeat in range(repeats)
    }
    assert len({run.run for run in runs}) == len(runs)


def test_all_strategies_know_how_many_ranks_load_images_in_any_of_them() -> None:
    chosen = tuple(strategy(name) for name in ("single", "ddp", "pipeline"))
    asked = Settings(device="cpu", nproc=3, batch_size=12)
    assert {run.loaders for run in plan_runs(Path("/data"), asked, chosen, CPU)} == {3}
    alone = plan_runs(Path("/data"), replace(asked, nproc=None), (strategy("single"),), CPU)
    assert [run.loaders for run in alone] == [1]


def test_what_is_added_has_the_seeds_of_what_is_there() -> None:
    made = plan("single", repeats=2)
    added = plan_added(made, [strategy("amp"), strategy("ddp")], made.settings, CPU)
    assert order(added) == ["amp", "ddp", "ddp", "amp"]
    assert [run.run for run in added] == ["03-amp", "04-ddp", "05-ddp", "06-amp"]
    assert [run.settings.seed for run in added] == [5, 5, 6, 6]
    assert {run.dataset for run in added} == {"/data"}
    assert added[0].settings == plan("amp", repeats=2).runs[0].settings


def test_the_same_training_is_not_added_twice_and_another_has_a_name_of_its_own() -> None:
    made = plan("single,amp", repeats=1)
    with pytest.raises(StrategyError, match="amp is in this experiment already, with the same"):
        plan_added(made, [strategy("amp")], replace(made.settings, seed=99), CPU)
    twin = replace(strategy("amp"), name="mine")
    with pytest.raises(StrategyError, match=r"mine is in this experiment already.*, as amp;"):
        plan_added(made, [twin], made.settings, CPU)
    (other,) = plan_added(made, [strategy("amp")], replace(made.settings, batch_size=128), CPU)
    assert (other.run, other.strategy.name) == ("03-amp-2", "amp-2")
    assert other.strategy.precision == "mixed"
    with pytest.raises(StrategyError, match="dp cannot run here"):
        plan_added(made, [strategy("dp")], made.settings, CPU)


def test_the_best_batch_has_runs_where_it_is_another_one() -> None:
    made = plan("single,amp,ddp", repeats=2)
    best = plan_best(made, {"single": 256, "amp": 64, "ddp": 512})
    assert [(run.run, run.repeat, run.settings.batch_size) for run in best] == [
        ("07-single", 0, 256),
        ("08-ddp", 0, 512),
        ("09-ddp", 1, 512),
        ("10-single", 1, 256),
    ]
    assert {run.view for run in best} == {"best"}
    assert [run.settings.seed for run in best] == [5, 5, 6, 6]
    # What is in the plan already is not planned again.
    again = replace(made, runs=(*made.runs, *best[:3]))
    assert [run.strategy.name for run in plan_best(again, {"single": 256, "ddp": 512})] == [
        "single"
    ]


def test_another_batch_is_cut_into_pieces_anew_unless_they_were_asked_for() -> None:
    made = plan("pipeline", repeats=1, model="resnet18", batch_size=4)
    assert made.runs[0].settings.micro_batches == 4
    larger = resized(made.runs[0], 64, made.settings)
    assert larger.settings == plan("pipeline", 1, model="resnet18", batch_size=64).runs[0].settings
    assert larger.settings.micro_batches == 8
    asked = plan("gpipe", repeats=1, model="resnet18", micro_batches=4)
    assert resized(asked.runs[0], 128, asked.settings).settings.micro_batches == 4
    with pytest.raises(StrategyError, match="cannot cut a batch of 2 images into 4"):
        resized(asked.runs[0], 2, asked.settings)
