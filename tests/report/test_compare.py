from __future__ import annotations

import math

import pytest

from engine.journal.events import RunEnded
from engine.report.compare import rows
from tests.report.views import (
    NOW,
    RUN,
    folded,
    memory,
    ready,
    steps,
    trained,
    validated,
)


def test_nothing_runs_where_the_supervisor_is_dead() -> None:
    view = folded([ready(epochs=3, steps_per_epoch=2)])
    assert [row.state for row in rows(view)] == ["running"]
    assert [row.state for row in rows(view, crashed=True)] == ["crashed"]
    over = folded([], ended=RunEnded(t=NOW, run=RUN, attempt=1, state="done"))
    assert [row.state for row in rows(over, crashed=True)] == ["done"]


def test_a_row_of_known_numbers() -> None:
    view = folded(
        [
            ready(epochs=3, steps_per_epoch=2, batch_size=8),
            steps(0, [5.0, 1.0], [4.0, 0.0], [8, 8]),
            trained(0, 2, 16, 32.0, 8.0, 4.0),
            validated(0, 2, top1=60, loss_sum=90.0),
            steps(2, [1.0, 1.0], [0.5, 0.5], [8, 8]),
            trained(1, 4, 16, 24.0, 2.0, 1.0),
            validated(1, 4, top1=80, loss_sum=50.0),
            steps(4, [2.0, 2.0], [0.0, 0.0], [8, 8]),
            trained(2, 6, 16, 8.0, 4.0, 0.5),
            validated(2, 6, top1=70, loss_sum=60.0),
            memory(),
        ],
        ended=RunEnded(t=NOW + 20, run=RUN, attempt=1, state="done", reason="why"),
    )
    (row,) = rows(view)
    assert (row.name, row.strategy, row.state, row.reason) == (RUN, "single", "done", "why")
    assert (row.batch_size, row.epochs) == (8, 3)
    # Without the first epoch, which warms up: 32 images in 6 s, 1.5 s of it waiting.
    assert row.images_per_second == pytest.approx(32 / 6)
    assert row.wait_share == pytest.approx(1.5 / 6)
    assert row.batch_seconds == 1.5
    assert row.train_seconds == 14.0
    assert (row.train_loss, row.val_loss) == (0.5, 0.6)
    assert (row.top1, row.best_top1, row.top5) == (0.7, 0.8, None)
    assert row.peak_memory == 20


def test_top_5_tells_something_from_six_classes_on() -> None:
    for classes, expected in (("abcde", None), ("abcdef", 0.99)):
        first = ready(epochs=1, steps_per_epoch=2, classes=classes)
        trained_once = [trained(0, 2, 16, 32.0, 8.0, 4.0), validated(0, 2, top1=70, loss_sum=60.0)]
        (row,) = rows(folded([first, *trained_once]))
        assert row.top5 == expected


def test_a_single_epoch_has_nothing_to_leave_out() -> None:
    (row,) = rows(folded([trained(0, 2, 16, 32.0, 8.0, 4.0)]))
    assert row.images_per_second == 2.0
    assert row.wait_share == 0.5


def test_before_the_first_epoch_ends_steps_tell_the_rate() -> None:
    (row,) = rows(
        folded([ready(epochs=1, steps_per_epoch=9), steps(0, [1.0, 3.0], [0, 0], [8, 8])])
    )
    assert row.images_per_second == 4.0
    assert (row.epochs, row.train_seconds, row.wait_share) == (0, None, None)


def test_what_is_unknown_is_none() -> None:
    (row,) = rows(folded([], queued_only=True))
    assert row.state == "queued"
    assert row.epochs == 0
    unknown = (row.batch_size, row.images_per_second, row.batch_seconds, row.wait_share)
    assert unknown == (None,) * 4
    assert (row.train_loss, row.val_loss, row.top1, row.best_top1, row.top5) == (None,) * 5
    assert (row.peak_memory, row.train_seconds) == (None, None)


def test_an_epoch_that_was_cut_short_is_not_counted_as_done() -> None:
    (row,) = rows(
        folded(
            [
                ready(epochs=2, steps_per_epoch=4),
                trained(0, 4, 32, 1.0, 4.0, 0.0),
                trained(1, 5, 8, 1.0, 1.0, 0.0),
            ]
        )
    )
    assert row.epochs == 1


def test_device_memory_counts_where_there_is_a_device() -> None:
    (row,) = rows(folded([memory(peak_reserved=7, peak_allocated=5)]))
    assert row.peak_memory == 7


def test_a_loss_that_is_no_number_is_not_unknown() -> None:
    (row,) = rows(folded([trained(0, 2, 16, None, 8.0, 4.0)]))
    assert row.train_loss is not None
    assert math.isnan(row.train_loss)
