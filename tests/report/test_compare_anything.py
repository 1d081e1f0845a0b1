"""Journals of any content make a table: nothing of them is trusted."""

from __future__ import annotations

import math

from hypothesis import given, settings
from hypothesis import strategies as some
from msgspec import structs

from engine.journal.events import (
    AttemptStarted,
    Event,
    RunEnded,
    RunQueued,
    RunStarted,
)
from engine.journal.fold import ExperimentFold
from engine.report.against import rates
from engine.report.cells import cell, marks
from engine.report.columns import COLUMNS
from engine.report.compare import compare
from engine.report.comparison import Choices, Source
from tests.report.tables import plan_of
from tests.report.views import NOW, WRITER, memory, phase, ready, steps, trained, validated

SECONDS = some.sampled_from([0.0, -1.0, 1e-9, 2.0, 1e9, math.nan, math.inf])
COUNTS = some.sampled_from([0, 1, 7, 100, 2**40])
RATES = some.sampled_from([0.0, 0.5, 1.0, math.nan])

EVENTS = some.one_of(
    some.builds(
        lambda length, size, device, workers, name: structs.replace(
            ready(epochs=2, steps_per_epoch=length, batch_size=size),
            device=device, workers=workers, precision=name, device_name=name,
        ),
        COUNTS, COUNTS, some.sampled_from(["cpu", "cuda:0", "mps", ""]), COUNTS,
        some.sampled_from(["", "fp32"]),
    ),
    some.builds(
        trained, some.integers(0, 3), COUNTS, COUNTS, some.none() | SECONDS, SECONDS, SECONDS
    ),
    some.builds(
        lambda epoch, step, images, top1: structs.replace(
            validated(epoch, step, top1, 1.0), images=images
        ),
        some.integers(0, 3), COUNTS, COUNTS, COUNTS,
    ),
    some.builds(
        lambda first, seconds: steps(first, seconds, seconds, [8.0] * len(seconds)),
        some.integers(0, 5), some.lists(SECONDS, min_size=1, max_size=5),
    ),
    some.builds(lambda peak: memory(peak_rss=peak), COUNTS),
    some.builds(
        phase, some.sampled_from(["warming up", "validating", ""]), SECONDS.filter(math.isfinite)
    ),
)  # fmt: skip

STATES = some.sampled_from(["done", "failed", "stopped", None])


@settings(max_examples=60, deadline=None)
@given(
    some.lists(some.tuples(some.lists(EVENTS, max_size=8), STATES), min_size=6, max_size=6),
    some.booleans(),
    some.none() | RATES.filter(math.isfinite),
)
def test_whatever_journals_say_there_is_a_table(
    told: list[tuple[list[Event], str | None]], crashed: bool, target: float | None
) -> None:
    plan = plan_of(("single", "ddp", "gpipe"), 2)
    fold = ExperimentFold()
    for run, (events, state) in zip(plan.runs, told, strict=True):
        fold.apply_supervisor(RunQueued(t=NOW, run=run.run, strategy=run.strategy.name, seed=0))
        if not events:
            continue
        fold.apply_supervisor(RunStarted(t=NOW, run=run.run, attempt=1, argv=(), pid=1))
        start = AttemptStarted(t=NOW, rank=0, world_size=1, **WRITER)  # type: ignore[arg-type]
        for event in (start, *events):
            fold.apply_rank(run.run, 1, 0, event)  # type: ignore[arg-type]
        if state is not None:
            ended = RunEnded(t=NOW + 9, run=run.run, attempt=1, state=state)  # type: ignore[arg-type]
            fold.apply_supervisor(ended)
    recorded = Source(name="first", plan=plan, view=fold.freeze(), crashed=crashed)
    table = compare([recorded], Choices(target=target, price=1.0))
    (baseline,) = (row for row in table.rows if row.key == table.baseline)
    finished = {row.figures.name for row in table.rows if rates(row)}
    assert baseline.figures.name == "single" or "single" not in finished
    assert len(table.rows) == 3
    for column in COLUMNS:
        marks(column, table.rows)
        for row in table.rows:
            assert isinstance(cell(column, row), str)
    for row in table.rows:
        shares = (row.figures.stall_share, row.figures.device_idle_share, row.figures.bubble)
        assert all(each is None or 0.0 <= each <= 1.0 for each in shares)
        seconds = (row.figures.startup_seconds, row.figures.seconds_to_accuracy)
        assert all(each is None or each >= 0.0 for each in seconds)
