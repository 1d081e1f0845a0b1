from __future__ import annotations

import math
from dataclasses import replace

from engine.journal.events import BatchFound
from engine.journal.machine_view import Conditions
from engine.journal.views import ExperimentView
from engine.report.compare import compare
from engine.report.comparison import Choices, Source
from tests.report.tables import plan_of, source, source_of
from tests.report.views import NOW


def changed(recorded: Source, view: ExperimentView) -> Source:
    return replace(recorded, view=view)


def test_a_fair_table_needs_no_remark() -> None:
    assert compare([source({"single": [100.0], "amp": [140.0]})]).remarks == ()


def test_a_batch_that_is_normalised_in_parts_is_said_in_words() -> None:
    table = compare([source({"single": [1.0], "ddp": [1.0], "gpipe": [1.0]})])
    assert table.remarks == (
        "ddp: batch normalisation sees 50 of 100 images.",
        "gpipe: batch normalisation sees 20 of 100 images.",
    )


def test_best_batches_differ_in_steps_and_not_in_the_learning_rate() -> None:
    plan = plan_of(("single", "ddp", "amp"))
    ddp = next(run for run in plan.runs if run.strategy.name == "ddp")
    best = replace(ddp, run="04-ddp", view="best", settings=replace(ddp.settings, batch_size=200))
    found = [
        BatchFound(t=NOW, strategy="single", batch_size=100),
        BatchFound(t=NOW, strategy="ddp", batch_size=200),
        BatchFound(t=NOW, strategy="amp", reason="no batch size fits"),
    ]
    recorded = source_of(
        replace(plan, runs=(*plan.runs, best)),
        {"single": [100.0], "ddp": [150.0], "amp": [1.0]},
        extra=found,
    )
    steps = {"01-single": 12, "04-ddp": 6}
    runs = tuple(replace(run, step=steps.get(run.run, 12)) for run in recorded.view.runs)
    table = compare([changed(recorded, replace(recorded.view, runs=runs))], Choices(view="best"))
    assert table.remarks[:2] == (
        "Each strategy at its best batch: optimiser steps differ (single 12, ddp 6); the learning "
        "rate is the same.",
        "amp: no best batch was found (no batch size fits).",
    )


def test_a_first_epoch_that_is_in_the_rates_is_said() -> None:
    recorded = source({"single": [100.0], "amp": [140.0]})
    short = tuple(
        replace(run, epochs=run.epochs[:1]) if run.strategy == "amp" else run
        for run in recorded.view.runs
    )
    table = compare([changed(recorded, replace(recorded.view, runs=short))])
    assert table.remarks == (
        "The first epoch, which warms up, is in the rates of amp: there is no other.",
    )


def test_a_loss_that_is_no_number_is_said_however_fast_it_was() -> None:
    recorded = source({"single": [100.0, 101.0], "amp": [140.0, 141.0], "ddp": [1.0, 1.0]})
    lost = tuple(
        replace(run, validations=tuple(replace(each, loss=math.nan) for each in run.validations))
        if run.strategy == "amp" or run.run == "03-ddp"
        else run
        for run in recorded.view.runs
    )
    table = compare([changed(recorded, replace(recorded.view, runs=lost))])
    said = "amp and ddp (1 of 2 repeats): the loss is not a finite number, whatever the speed."
    assert table.remarks[0] == said


def test_what_failed_in_its_first_epoch_has_no_rate_to_warn_of() -> None:
    recorded = source(
        {"single": [100.0], "amp": [140.0], "ddp": [50.0]}, ends={"03-ddp": ("failed", "why")}
    )
    short = tuple(
        replace(run, epochs=run.epochs[:1]) if run.strategy == "ddp" else run
        for run in recorded.view.runs
    )
    table = compare([changed(recorded, replace(recorded.view, runs=short))])
    assert not any("first epoch" in each for each in table.remarks)


def test_a_machine_that_is_shared_is_said_even_where_it_was_for_all() -> None:
    recorded = source({"single": [100.0], "amp": [140.0]})
    busy = tuple(
        replace(run, conditions=Conditions(samples=9, other_cores=1.25 + place / 10))
        for place, run in enumerate(recorded.view.runs)
    )
    table = compare([changed(recorded, replace(recorded.view, runs=busy))])
    assert table.remarks == (
        "Others kept up to 1.4 cores busy beside all strategies: alone it would be faster.",
    )
    assert {each.what: each.constancy for each in table.held}["other users of the cores"] == "equal"


def test_rates_of_images_that_are_still_small_are_said() -> None:
    growing = plan_of(("single", "amp"), image_size=64, resize_from=32)
    recorded = source_of(growing, {"single": [100.0], "amp": [140.0]})
    assert compare([recorded]).remarks == ()
    short = tuple(replace(run, epochs=run.epochs[:1]) for run in recorded.view.runs)
    table = compare([changed(recorded, replace(recorded.view, runs=short))])
    assert (
        "All rates are of images that had not grown to their full size: these would be slower."
        in table.remarks
    )
