"""Plans of schema 1, as the first version wrote them."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from engine.plan import older
from engine.plan.runs import ExperimentPlan


def old_plan(precision: str) -> dict[str, Any]:
    """Two runs, as they stood in ``experiment.json``."""
    settings = {"model": "resnet18", "epochs": 3, "seed": 5, "precision": precision}
    run = {"settings": settings, "dataset": "/data", "repeat": 0, "schema": 1}
    single = {"name": "single", "explanation": "", "parallelism": "none", "mixed_precision": False}
    amp = {**single, "name": "amp", "mixed_precision": True}
    return {
        "name": "2026-01-01_000000_data",
        "created": 1.0,
        "dataset": "/data",
        "settings": settings,
        "runs": [
            {**run, "run": "01-single", "strategy": single},
            {**run, "run": "02-amp", "strategy": amp},
        ],
        "sources": {"epochs": "flag"},
        "schema": 1,
    }


@pytest.mark.parametrize(("asked", "amp"), [("auto", "mixed"), ("bf16", "bf16"), ("fp16", "fp16")])
def test_each_run_is_trained_as_it_was(asked: str, amp: str) -> None:
    plan = msgspec.convert(older.translate(old_plan(asked)), ExperimentPlan)
    assert [run.settings.precision for run in plan.runs] == ["fp32", amp]
    assert [run.strategy.precision for run in plan.runs] == ["fp32", "mixed"]
    assert [run.ranks for run in plan.runs] == [1, 1]
    assert {run.settings.epochs for run in plan.runs} == {3}
    assert {plan.schema, *(run.schema for run in plan.runs)} == {2}


def test_other_schemas_are_left_alone() -> None:
    plans: tuple[Any, ...] = ({"schema": 2, "runs": 7}, {"schema": 3}, [], None, 4)
    for plan in plans:
        assert older.translate(plan) == plan
