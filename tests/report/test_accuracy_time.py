from __future__ import annotations

import pytest
from msgspec import structs

from engine.journal.events import AttemptStarted, Event, RunStarted, Steps, Validated
from engine.journal.fold import ExperimentFold
from engine.journal.views import RunView
from engine.report.accuracy_time import seconds_to_accuracy, target_of
from tests.report import views
from tests.report.views import NOW, RUN, WRITER, ready, run_of


def steps(first: int, since: float, seconds: float = 1.0) -> Steps:
    """Two steps."""
    told = views.steps(first, [seconds] * 2, [0.0] * 2, [8] * 2)
    return structs.replace(told, since=NOW + since)


def validated(epoch: int, top1: int, ended: float, seconds: float = 1.0) -> Validated:
    told = views.validated(epoch, 2 * (epoch + 1), top1, loss_sum=1.0, seconds=seconds)
    return structs.replace(told, t=NOW + ended)


def run_with(*attempts: tuple[int, list[Event]]) -> RunView:
    """Attempts that begin at a step."""
    fold = ExperimentFold()
    for number, (from_step, events) in enumerate(attempts, start=1):
        fold.apply_supervisor(RunStarted(t=NOW, run=RUN, attempt=number, argv=(), pid=1))
        start = AttemptStarted(t=NOW, rank=0, world_size=1, from_step=from_step, **WRITER)  # type: ignore[arg-type]
        for event in (start, ready(epochs=3, steps_per_epoch=2), *events):
            fold.apply_rank(RUN, number, 0, event)  # type: ignore[arg-type]
    return run_of(fold.freeze())


PLAIN: list[Event] = [
    steps(0, 100.0),
    validated(0, 60, 103.0),
    steps(2, 103.5),
    validated(1, 80, 107.0),
    steps(4, 107.0),
    validated(2, 70, 110.0),
]


def test_from_the_first_step_to_the_end_of_the_first_validation_that_reached_it() -> None:
    run = run_with((0, PLAIN))
    assert seconds_to_accuracy(run, 0.5) == pytest.approx(3.0)
    assert seconds_to_accuracy(run, 0.6) == pytest.approx(3.0)
    # The second validation and what lay before it: its end, not its beginning.
    assert seconds_to_accuracy(run, 0.61) == pytest.approx(7.0)
    assert seconds_to_accuracy(run, 0.8) == pytest.approx(7.0)
    assert seconds_to_accuracy(run, 0.81) is None


def test_what_lies_between_attempts_does_not_count() -> None:
    # Stopped after the first epoch's validation, resumed an hour later.
    run = run_with((0, PLAIN[:2]), (2, [steps(2, 3700.0), validated(1, 80, 3704.0)]))
    assert seconds_to_accuracy(run, 0.6) == pytest.approx(3.0)
    # 3 s of the first attempt, its validation included, and 4 s of the second.
    assert seconds_to_accuracy(run, 0.8) == pytest.approx(7.0)


def test_what_was_undone_counts_no_more() -> None:
    # The second epoch was trained, but no checkpoint of it was left.
    run = run_with((0, PLAIN[:4]), (2, [steps(2, 3700.0), validated(1, 90, 3706.0)]))
    # 3.5 s until its first step that was undone, and 6 s of the second attempt.
    assert seconds_to_accuracy(run, 0.8) == pytest.approx(9.5)


def test_without_the_first_steps_it_cannot_be_told() -> None:
    assert seconds_to_accuracy(run_with((2, PLAIN[2:])), 0.7) is None
    assert seconds_to_accuracy(run_with((0, [])), 0.0) is None


def test_the_target_is_the_highest_that_all_runs_reached() -> None:
    assert target_of([[0.9, 0.7, 0.8], [], [0.75]]) == 0.7
    assert target_of([[0.9], [0.0]]) is None
    assert target_of([]) is None
