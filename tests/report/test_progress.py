from __future__ import annotations

import pytest

from engine.journal.events import RunEnded
from engine.report.progress import progress
from tests.report.views import (
    NOW,
    RUN,
    begun,
    folded,
    phase,
    ready,
    run_of,
    steps,
    trained,
    validated,
)


def test_before_anything_is_known() -> None:
    told = progress(run_of(folded([], queued_only=True)), NOW)
    assert told.phase == "queued"
    numbers = (told.fraction, told.epoch_fraction, told.eta_seconds, told.throughput)
    assert (*numbers, told.step_seconds, told.wait_share) == (None,) * 6
    assert progress(run_of(folded([])), NOW).phase == "starting"
    importing = folded([phase("importing torch", 1.0)])
    assert progress(run_of(importing), NOW).phase == "importing torch"


def test_in_the_middle_of_the_second_epoch() -> None:
    view = folded(
        [
            ready(epochs=4, steps_per_epoch=4),
            begun(0, 0),
            steps(0, [1.0, 1.0, 1.0, 1.0], [0.1] * 4, [8] * 4),
            trained(0, 4, 32, 1.0, 4.0, 0.4),
            validated(0, 4, top1=50, loss_sum=1.0, seconds=3.0),
            begun(1, 4),
            steps(4, [2.0, 0.5], [0.2, 0.9], [8, 4]),
        ]
    )
    told = progress(run_of(view), NOW + 6)
    assert told.phase == "training"
    assert told.fraction == 6 / 16
    assert told.epoch_fraction == 0.5
    # 44 images in 6.5 s: not the mean of the rates of steps, which is 8.0.
    assert told.throughput == pytest.approx(44 / 6.5)
    assert told.step_seconds == 1.0
    assert told.wait_share == pytest.approx(1.5 / 6.5)
    # Ten steps at 6.5 / 6 s, and three validations of 3 s.
    assert told.eta_seconds == pytest.approx(10 * 6.5 / 6 + 9.0)


def test_recent_means_the_last_ten_seconds_of_training() -> None:
    view = folded(
        [
            ready(epochs=1, steps_per_epoch=100),
            steps(0, [4.0] * 10, [4.0] * 10, [1] * 10),
            steps(10, [0.5] * 20, [0.0] * 20, [8] * 20),
        ]
    )
    told = progress(run_of(view), NOW)
    assert told.throughput == 16.0
    assert told.step_seconds == 0.5
    assert told.wait_share == 0.0


def test_what_was_not_measured_is_left_out() -> None:
    nan = float("nan")
    view = folded(
        [ready(epochs=1, steps_per_epoch=10), steps(0, [1.0, nan, 3.0], [nan] * 3, [8, 8, nan])]
    )
    told = progress(run_of(view), NOW)
    assert told.throughput == 8.0
    assert told.step_seconds == 2.0
    assert told.wait_share is None
    assert told.eta_seconds == 7 * 2.0


def test_the_end() -> None:
    written = [ready(epochs=1, steps_per_epoch=10), steps(0, [1.0], [0.0], [8])]
    done = folded(written, ended=RunEnded(t=NOW, run=RUN, attempt=1, state="done"))
    told = progress(run_of(done), NOW)
    assert (told.phase, told.fraction, told.eta_seconds) == ("done", 1.0, None)
    failed = folded(written, ended=RunEnded(t=NOW, run=RUN, attempt=1, state="failed"))
    told = progress(run_of(failed), NOW)
    assert (told.phase, told.fraction, told.eta_seconds) == ("failed", 0.1, None)


def test_time_passes_while_it_validates() -> None:
    view = folded(
        [
            ready(epochs=2, steps_per_epoch=2),
            steps(0, [1.0, 1.0], [0.0, 0.0], [8, 8]),
            trained(0, 2, 16, 1.0, 2.0, 0.0),
            validated(0, 2, top1=1, loss_sum=1.0, seconds=10.0),
            steps(2, [1.0, 1.0], [0.0, 0.0], [8, 8]),
            trained(1, 4, 16, 1.0, 2.0, 0.0),
            phase("validating", 4.0),
        ]
    )
    told = progress(run_of(view), NOW + 4 + 4.0)
    assert told.phase == "validating"
    assert told.eta_seconds == pytest.approx(6.0)
