from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from engine.journal.views import ExperimentView
from engine.plan.runs import ExperimentPlan
from engine.report import remembered
from engine.report.compare import compare
from engine.report.comparison import Choices, Source
from engine.report.measured import measured
from tests.report.situations import folded, host, plan, steps
from tests.report.tables import source
from tests.report.views import NOW, ready

STEP = {
    "images": 8.0,
    "step_seconds": 1.0,
    "wait_seconds": 0.6,
    "agree_seconds": 0.0,
    "forward_seconds": 0.2,
    "backward_seconds": 0.2,
    "other_seconds": 0.0,
}


def of(view: ExperimentView, **more: Any) -> Source:
    run = plan("single", workers=1)
    known = ExperimentPlan(
        name="first", created=NOW, dataset="/photographs", settings=run.settings, runs=(run,),
        sources={},
    )  # fmt: skip
    return Source(name="first", plan=known, view=view, **more)


def starved(**more: Any) -> ExperimentView:
    told = ready(epochs=1, steps_per_epoch=1000, workers=1)
    return folded(plan("single", workers=1), [[told, steps(STEP, 30)]], host(), **more)


def comment(recorded: Source) -> str:
    (row,) = compare([recorded]).rows
    return row.figures.comment


def test_a_row_has_the_diagnosis_of_its_last_run_that_is_done() -> None:
    found = comment(of(starved(ended=True)))
    assert found.startswith("waiting for data: ")
    assert "--workers" in found


def test_a_run_that_trains_is_spoken_of_and_one_that_waits_is_not() -> None:
    assert comment(of(starved())).startswith("waiting for data")
    view = starved()
    queued = replace(view, runs=tuple(replace(run, ready=None) for run in view.runs))
    assert comment(of(queued)) == ""


def test_only_one_run_of_a_row_is_spoken_of() -> None:
    (row,) = compare([source({"single": [100.0, 100.0, 100.0]})]).rows
    assert [bool(each.comment) for each in row.repeats] == [False, False, True]
    assert row.figures.comment == row.repeats[-1].comment == "too short"


def test_what_has_not_changed_is_not_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    recorded = source({"single": [100.0, 100.0], "amp": [150.0, 150.0]})
    first = compare([recorded])
    made: list[str] = []

    def counting(run: Any, *rest: Any, **more: Any) -> Any:
        made.append(run.run)
        return measured(run, *rest, **more)

    monkeypatch.setattr(remembered, "measured", counting)
    assert compare([recorded]) == first
    assert made == []
    # One run told something new, and nothing is remembered of a table that was made before.
    changed = tuple(
        replace(run, reason="new") if run.run == "02-amp" else run for run in recorded.view.runs
    )
    later = replace(recorded, view=replace(recorded.view, runs=changed))
    assert compare([later]).rows[1].figures.reason == "repeat 1: new"
    assert made == ["02-amp"]
    made.clear()
    assert compare([recorded], Choices(price=2.0)).price == 2.0
    assert len(made) == 4
    compare([])
    made.clear()
    assert compare([recorded]) == first
    assert len(made) == 4
