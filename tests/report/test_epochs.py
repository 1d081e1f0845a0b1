from __future__ import annotations

import pytest
from msgspec import structs

from engine.journal.events import EpochEstimated, Event, RunEnded
from engine.report.epochs import EpochTime, epoch_times
from tests.report.views import NOW, begun, folded, ready, run_of, steps, trained


def told(*events: Event, ended: RunEnded | None = None) -> tuple[EpochTime, ...]:
    known = ready(epochs=3, steps_per_epoch=2)
    return epoch_times(run_of(folded([known, *events], ended=ended)))


def ended(epoch: int, step: int, seconds: float, estimated: float | None) -> Event:
    return structs.replace(trained(epoch, step, 16, 1.0, seconds, 0.0), estimated_seconds=estimated)


def test_an_estimate_beside_what_came_and_the_error_between() -> None:
    rows = told(
        begun(0, 0),
        ended(0, 2, 8.0, 10.0),
        begun(1, 2),
        ended(1, 4, 8.0, 6.0),
        begun(2, 4),
        EpochEstimated(t=NOW, epoch=2, seconds=7.5, steps=1),
    )
    assert [(row.epoch, row.estimated, row.actual) for row in rows] == [
        (0, 10.0, 8.0),
        (1, 6.0, 8.0),
        (2, 7.5, None),
    ]
    # 2 s too long of 8, 2 s too short of 8; the third is not over.
    assert [row.error for row in rows] == [pytest.approx(0.25), pytest.approx(-0.25), None]


def test_an_estimate_of_another_epoch_is_not_of_this_one() -> None:
    rows = told(begun(0, 0), EpochEstimated(t=NOW, epoch=0, seconds=5.0, steps=1), begun(1, 2))
    assert rows == ()


def test_an_epoch_that_was_cut_short_says_nothing_about_its_estimate() -> None:
    (row,) = told(begun(0, 0), steps(0, [1.0], [0.0], [8]), ended(0, 1, 1.0, 2.0))
    assert (row.estimated, row.actual, row.error) == (None, 1.0, None)


def test_what_was_not_estimated_is_unknown() -> None:
    (row,) = told(ended(0, 2, 3.0, None))
    assert (row.estimated, row.actual, row.error) == (None, 3.0, None)


def test_nothing_is_expected_of_a_run_that_has_ended() -> None:
    over = RunEnded(t=NOW, run="01-single", attempt=1, state="stopped")
    estimate = EpochEstimated(t=NOW, epoch=0, seconds=5.0, steps=1)
    assert told(begun(0, 0), estimate, ended=over) == ()
