"""A run that was interrupted and went on: which of its steps its row speaks of."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs

from engine.journal.events import AttemptStarted, EndState, Event, Ready, RunEnded, RunStarted
from engine.journal.fold import ExperimentFold
from engine.journal.views import RunView
from engine.report.compare import compare
from engine.report.comparison import Source
from engine.report.measured import measured, with_target
from engine.report.ways import begun_epochs, earlier_ways, own_from
from tests.report.situations import plan
from tests.report.tables import plan_of
from tests.report.views import NOW, RUN, WRITER, begun, ready, steps, trained, validated


def told(strategy: str = "single", **more: Any) -> Ready:
    return structs.replace(
        ready(epochs=4, steps_per_epoch=2, batch_size=8, **more), strategy=strategy
    )


def epoch(number: int, seconds: float) -> list[Event]:
    first = 2 * number
    return [
        begun(number, first),
        steps(first, [seconds / 2] * 2, [0.0] * 2, [8, 8]),
        trained(number, first + 2, 16, 16.0, seconds, 0.0),
        validated(number, first + 2, top1=50 + number, loss_sum=1.0),
    ]


Part = tuple[int, str, list[Event]]
"""An attempt: its first step, its way, and what its rank told."""


def fold(*parts: Part, lasted: float = 100.0) -> ExperimentFold:
    made = ExperimentFold()
    for number, (first, way, events) in enumerate(parts, 1):
        t = NOW + 1000.0 * number
        made.apply_supervisor(RunStarted(t=t, run=RUN, attempt=number, argv=("x",), pid=1, way=way))
        start = AttemptStarted(t=t, rank=0, world_size=1, from_step=first, **WRITER)  # type: ignore[arg-type]
        for event in (start, *events):
            made.apply_rank(RUN, number, 0, event)  # type: ignore[arg-type]
        state: EndState = "done" if number == len(parts) else "failed"
        made.apply_supervisor(RunEnded(t=t + lasted, run=RUN, attempt=number, state=state))
    return made


def run_of(*parts: Part) -> RunView:
    (run,) = fold(*parts).freeze().runs
    return run


def test_an_epoch_in_which_a_run_goes_on_is_not_in_its_rates() -> None:
    """It begins with a warm-up, as the first does."""
    run = run_of(
        (0, "a", [told(), *epoch(0, 90.0), *epoch(1, 2.0)]),
        (4, "a", [told(), *epoch(2, 80.0), *epoch(3, 4.0)]),
    )
    assert (own_from(run), earlier_ways(run)) == (0, ())
    assert begun_epochs(run) == {0, 2}
    figures = measured(run, plan(), "first")
    assert figures.images_per_second == pytest.approx(32 / 6.0)
    assert figures.batch_seconds_median == pytest.approx(1.5)
    assert (figures.steps_rated, figures.steady, figures.epochs) == (4, True, 4)
    assert figures.train_seconds == 176.0
    assert figures.wall_seconds == 200.0


def test_rates_are_of_the_way_that_the_row_names() -> None:
    run = run_of(
        (0, "a", [told(), *epoch(0, 9.0), *epoch(1, 1.0)]),
        (4, "b", [told("ddp"), *epoch(2, 8.0), *epoch(3, 4.0)]),
    )
    assert (own_from(run), earlier_ways(run)) == (4, (("single", 4),))
    figures = measured(run, plan(), "first")
    assert (figures.images_per_second, figures.steps_rated) == (4.0, 2)
    assert figures.earlier_ways == (("single", 4),)
    # What both took together is the time of neither; what was learned is of both.
    assert (figures.train_seconds, figures.wall_seconds) == (None, None)
    assert figures.first_epoch_seconds is None
    assert (figures.epochs, figures.best_top1) == (4, 0.53)
    assert with_target(figures, run, 0.5).seconds_to_accuracy is None


def test_before_an_epoch_of_its_own_is_whole_its_steps_tell_the_rate() -> None:
    run = run_of(
        (0, "a", [told(), *epoch(0, 9.0)]),
        # In the middle of an epoch: what is told of it is of both.
        (3, "b", [told("ddp"), steps(3, [0.5], [0.0], [8]), trained(1, 4, 16, 1.0, 50.0, 0.0)]),
    )
    assert own_from(run) == 3
    figures = measured(run, plan(), "first")
    assert (figures.images_per_second, figures.steady) == (16.0, False)


def test_a_way_back_and_a_way_undone() -> None:
    there_and_back = run_of(
        (0, "a", [told(), *epoch(0, 1.0)]),
        (2, "b", [told("ddp"), *epoch(1, 1.0)]),
        (4, "a", [told(), *epoch(2, 1.0)]),
    )
    assert own_from(there_and_back) == 4
    assert earlier_ways(there_and_back) == (("ddp", 4),)
    undone = run_of((0, "a", [told(), *epoch(0, 1.0)]), (0, "b", [told("ddp"), *epoch(0, 1.0)]))
    assert (own_from(undone), earlier_ways(undone)) == (0, ())
    # Other switches of the same strategy.
    switched = run_of((0, "a", [told(), *epoch(0, 1.0)]), (2, "b", [told(), *epoch(1, 1.0)]))
    assert earlier_ways(switched) == (("", 2),)
    # Journals of before, which tell no way.
    older = run_of((0, "", [told(""), *epoch(0, 1.0)]), (2, "", [told(""), *epoch(1, 1.0)]))
    assert (own_from(older), earlier_ways(older)) == (0, ())


def test_gpu_hours_are_of_the_devices_that_each_attempt_had() -> None:
    one = told(device="cuda:0", uuids=("GPU-0",))
    two = told("ddp", device="cuda:0", uuids=("GPU-0", "GPU-1"))
    run = run_of((0, "a", [one, *epoch(0, 1.0)]), (2, "b", [two, *epoch(1, 1.0)]))
    figures = measured(run, plan(), "first", price=36.0)
    assert figures.gpu_hours == pytest.approx(300 / 3600)
    assert figures.cost == pytest.approx(3.0)
    assert figures.device_count == 2


def test_a_table_says_what_was_trained_in_several_ways() -> None:
    view = fold(
        (0, "a", [told("ddp"), *epoch(0, 9.0)]),
        (2, "b", [told(), *epoch(1, 8.0), *epoch(2, 4.0)]),
    ).freeze()
    table = compare([Source(name="first", plan=plan_of(("single",)), view=view)])
    assert (
        "single was trained as ddp up to step 2: its rates, times and memory are of the steps "
        "after that, its accuracy is of all."
    ) in table.remarks
