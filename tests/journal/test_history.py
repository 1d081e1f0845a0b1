"""The history where a known answer says more than random ones: damage, eviction, ranks, axes."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.journal.events import AttemptStarted, Steps
from engine.journal.history import Axis, History, HistoryView
from tests.journal.writing import STEP_SECONDS, columns, steps, steps_of

START = 1_700_000_000.0


def begin(
    history: History, attempt: int = 1, *, rank: int = 0, ranks: int = 1, from_step: int = 0
) -> None:
    history.begin(
        attempt,
        AttemptStarted(
            journal="",
            host="",
            pid=1,
            boot="",
            rank=rank,
            world_size=ranks,
            from_step=from_step,
        ),
    )


def loss(view: HistoryView, first: int = 0, last: int = 10**9) -> list[float]:
    return [float(value) for value in view.rows("loss", first, last)]


def flat(first: int, values: list[float], since: float = START) -> Steps:
    """Steps with these losses, a second each."""
    return steps_of(
        first,
        since,
        {"loss": np.array(values, "<f4"), "step_seconds": np.ones(len(values), "<f4")},
    )


def test_nothing_is_known_of_an_empty_history() -> None:
    view = History().freeze()
    assert view.steps == 0
    assert view.metrics == ()
    assert view.last("loss") is None
    assert view.mean("loss", 10) is None
    assert view.extent("step") is None
    assert view.total_seconds() == 0.0
    assert len(view.buckets("loss", "time", -math.inf, math.inf, 100).x) == 0
    assert len(view.rows("loss", 0, 10)) == 0
    assert math.isnan(view.at("time", 3))


def test_a_spike_one_step_wide_is_seen_from_any_distance() -> None:
    history = History()
    values = np.ones(70_000, "<f4")
    values[43_210] = 99.0
    for first in range(0, 70_000, 700):
        history.add(1, 0, steps_of(first, START + first, {"loss": values[first : first + 700]}))
    view = history.freeze()
    for columns_ in (1, 7, 80, 300, 5000):
        found = view.buckets("loss", "step", 0, 1e9, columns_)
        assert found.high.max() == 99.0
        assert (found.high > 1).sum() == 1
        assert found.count.sum() == 70_000


def test_what_is_not_finite_is_in_no_statistic() -> None:
    history = History()
    history.add(1, 0, flat(0, [1.0, math.nan, 3.0, math.inf, -math.inf, 5.0]))
    view = history.freeze()
    assert view.mean("loss", 6) == 3.0
    found = view.buckets("loss", "step", 0, 5, 1)
    assert found.count.tolist() == [1, 0, 1, 0, 0, 1]
    assert np.isnan(found.mean[[1, 3, 4]]).all()
    assert view.last("loss") == 5.0
    history.add(1, 0, flat(6, [math.nan], START + 6))
    assert history.freeze().last("loss") is None


def test_a_resume_cuts_the_curve_and_closes_the_gap_in_time() -> None:
    history = History()
    begin(history)
    history.add(1, 0, flat(0, [0, 1, 2, 3, 4, 5]))
    begin(history, 2, from_step=4)
    assert history.freeze().steps == 4
    history.add(2, 0, flat(4, [40, 50], START + 1000))
    view = history.freeze()
    assert loss(view) == [0, 1, 2, 3, 40, 50]
    assert view.steps == 6
    assert view.total_seconds() == pytest.approx(6.0)
    assert view.buckets("loss", "time", 0, 10, 10).x.tolist() == pytest.approx([0, 1, 2, 3, 4, 5])
    assert view.at("time", 4) == pytest.approx(4.0)
    assert view.at("time", 5.5) == pytest.approx(5.5)
    assert view.at("time", 6) == pytest.approx(6.0)
    # Rows of the old attempt that are read late, at or after its end, change nothing.
    history.add(1, 0, flat(6, [60], START + 6))
    assert loss(history.freeze()) == [0, 1, 2, 3, 40, 50]


def test_attempts_may_be_read_in_any_order() -> None:
    history = History()
    begin(history, 2, from_step=3)
    history.add(2, 0, flat(3, [30, 40], START + 100))
    begin(history, 1)
    history.add(1, 0, flat(0, [0, 1, 2, 3, 4]))
    assert loss(history.freeze()) == [0, 1, 2, 30, 40]


def test_a_resume_before_an_earlier_resume_hides_both() -> None:
    history = History()
    begin(history, 1)
    history.add(1, 0, flat(0, [0, 1, 2, 3]))
    begin(history, 2, from_step=3)
    history.add(2, 0, flat(3, [30, 40], START + 100))
    begin(history, 3, from_step=1)
    history.add(3, 0, flat(1, [100], START + 200))
    view = history.freeze()
    assert loss(view) == [0, 100]
    assert view.total_seconds() == pytest.approx(2.0)


def test_ranks_are_weighted_by_images_and_wait_for_the_slowest() -> None:
    def rows(**values: list[float]) -> dict[str, NDArray[np.float32]]:
        return {name: np.array(each, "<f4") for name, each in values.items()}

    history = History()
    begin(history, ranks=2)
    begin(history, rank=1, ranks=2)
    first = rows(
        loss=[1, 2, 3], images=[30, 10, 10], step_seconds=[1, 1, 5], wait_seconds=[0.2, 0, 0],
        lr=[0.1, 0.2, 0.3],
    )  # fmt: skip
    second = rows(
        loss=[5, math.nan], images=[10, 0], step_seconds=[2, 0.5], wait_seconds=[0.4, 1],
        lr=[9, 9],
    )  # fmt: skip
    history.add(1, 0, steps_of(0, START, first))
    assert history.freeze().steps == 0
    history.add(1, 1, steps_of(0, START, second))
    view = history.freeze()
    assert view.ranks == (0, 1)
    assert view.steps == 2
    assert loss(view) == [2.0, 2.0]
    assert view.rows("images", 0, 9).tolist() == [40, 10]
    assert view.rows("step_seconds", 0, 9).tolist() == [2, 1]
    assert view.rows("wait_seconds", 0, 9) == pytest.approx([0.4, 1.0])
    assert view.rows("lr", 0, 9) == pytest.approx([0.1, 0.2])
    assert view.last("loss", rank=0) == 3.0
    assert view.last("loss", rank=1) is None
    assert view.last("loss", rank=7) is None


def test_all_of_one_rank_is_that_rank_itself() -> None:
    history = History()
    begin(history)
    history.add(1, 0, steps(0, 100, START))
    view = history.freeze()
    assert view.segments[None][0].track is view.segments[0][0].track


def test_lost_lines_leave_a_hole_and_not_a_shift() -> None:
    history = History()
    history.add(1, 0, flat(0, [0, 1]))
    history.add(1, 0, flat(5, [5, 6], START + 5))
    view = history.freeze()
    assert view.steps == 7
    np.testing.assert_array_equal(
        view.rows("loss", 0, 9), np.array([0, 1, np.nan, np.nan, np.nan, 5, 6], np.float32)
    )
    assert view.at("time", 5) == pytest.approx(5.0)
    assert history.skipped == 0


def test_steps_told_twice_count_once() -> None:
    history = History()
    history.add(1, 0, flat(0, [0, 1, 2]))
    history.add(1, 0, flat(0, [7, 7, 7]))
    history.add(1, 0, flat(1, [8, 8, 3, 4], START + 1))
    view = history.freeze()
    assert loss(view) == [0, 1, 2, 3, 4]
    assert view.at("time", 3) == pytest.approx(3.0)
    assert history.skipped == 1


def absurd() -> list[Steps]:
    four = np.zeros(4, "<f4").tobytes()
    sound = Steps(first=2, count=4, since=START, names=("loss",), columns=(four[:16],))
    change = {"first": 2, "count": 4, "since": START, "names": ("loss",), "columns": (four,)}
    changes: list[dict[str, object]] = [
        {"count": 5},
        {"count": 0},
        {"count": -4},
        {"count": 2**50},
        {"first": -1},
        {"first": 2**60},
        {"first": 2**30},
        {"names": ("loss", "top1")},
        {"names": (), "columns": ()},
        {"names": ("loss", "loss"), "columns": (four, four)},
        {"names": ("loss", "top1"), "columns": (four, four[:8])},
        {"names": tuple(map(str, range(100))), "columns": (four,) * 100},
        {"since": math.nan},
        {"since": 1e300},
        {"since": -1.0},
    ]
    assert sound.count == 4
    return [Steps(**{**change, **each}) for each in changes]  # type: ignore[arg-type]


@pytest.mark.parametrize("event", absurd(), ids=lambda event: f"{event.first}+{event.count}")
def test_absurd_steps_are_skipped_and_counted(event: Steps) -> None:
    history = History()
    history.add(1, 0, flat(0, [0, 1]))
    history.add(1, 0, event)
    history.add(1, 0, flat(2, [2], START + 2))
    assert history.skipped == 1
    assert loss(history.freeze()) == [0, 1, 2]
    assert history.freeze().metrics == ("loss", "step_seconds")


def test_a_clock_set_back_does_not_turn_the_axis_round() -> None:
    history = History()
    history.add(1, 0, flat(0, [0, 1, 2]))
    history.add(1, 0, flat(3, [3, 4], START - 3600))
    view = history.freeze()
    x = view.buckets("loss", "time", -1, 1e9, 100).x
    assert len(x) == 5
    assert (np.diff(x) >= 0).all()


def test_metrics_may_come_later() -> None:
    history = History()
    history.add(1, 0, flat(0, [1.0] * 40))
    before = history.freeze()
    late = {"loss": np.ones(40, "<f4"), "memory": np.full(40, 7, "<f4")}
    history.add(1, 0, steps_of(40, START + 40, late))
    view = history.freeze()
    assert view.metrics == ("loss", "step_seconds", "memory")
    assert view.mean("memory", 80) == 7.0
    assert loss(view) == [1.0] * 80
    assert view.buckets("loss", "step", 0, 80, 1).count.sum() == 80
    assert before.metrics == ("loss", "step_seconds")
    assert loss(before) == [1.0] * 40
    found = view.buckets("memory", "step", 0, 80, 1)
    assert found.count.sum() == 40
    assert found.low[found.count > 0].tolist() == [7] * (found.count > 0).sum()


def test_columns_come_and_go_between_events_and_differ_between_ranks() -> None:
    """A column that no step of an event has is left out of it."""
    history = History()
    wanted: dict[str, list[float]] = {"queued": [], "exchange_seconds": []}
    for rank in range(2):
        begin(history, rank=rank, ranks=2)
    for number in range(40):
        for rank in range(2):
            rows = {"loss": np.full(3, number, "<f4"), "step_seconds": np.ones(3, "<f4")}
            if rank == 0 and number % 2:
                rows["queued"] = np.full(3, number, "<f4")
            if rank == 1 and number % 3 == 0:
                rows["exchange_seconds"] = np.full(3, 0.5, "<f4")
            history.add(1, rank, steps_of(3 * number, START + 3 * number, rows))
            if number % 7 == 0:
                history.freeze()
        wanted["queued"] += [number if number % 2 else math.nan] * 3
        wanted["exchange_seconds"] += [0.5 if number % 3 == 0 else math.nan] * 3
    view = history.freeze()
    assert history.skipped == 0
    assert loss(view) == [float(step // 3) for step in range(120)]
    for name, rank, other in (("queued", 0, 1), ("exchange_seconds", 1, 0)):
        for whose in (None, rank):
            np.testing.assert_array_equal(view.rows(name, 0, 120, whose), wanted[name])
        assert np.isnan(view.rows(name, 0, 120, other)).all()
    found = view.buckets("queued", "step", 0, 120, 2)
    assert found.count.sum() == 60


def test_the_epoch_axis_needs_the_length_of_an_epoch() -> None:
    history = History()
    history.add(1, 0, flat(0, [0.0] * 10))
    view = history.freeze()
    assert view.extent("epoch") is None
    assert math.isnan(view.at("epoch", 5))
    assert len(view.buckets("loss", "epoch", 0, 1, 10).x) == 0
    history.set_epoch_length(5)
    view = history.freeze()
    assert view.extent("epoch") == (0.0, 2.0)
    assert view.at("epoch", 5) == 1.0
    assert view.buckets("loss", "epoch", 1.0, 9.0, 10).x.tolist() == [1.0, 1.2, 1.4, 1.6, 1.8]


def test_extents_reach_from_the_first_step_to_the_end_of_the_last() -> None:
    history = History()
    begin(history, from_step=10)
    history.add(1, 0, steps(10, 64, START))
    view = history.freeze()
    assert view.extent("step") == (10.0, 74.0)
    low, high = view.extent("time") or (1.0, 0.0)
    assert low == 0.0
    assert high == pytest.approx(64 * STEP_SECONDS)
    assert view.total_seconds() == pytest.approx(64 * STEP_SECONDS)


def test_rows_beyond_the_budget_are_answered_in_stretches_of_32() -> None:
    count = 40_000
    values = columns(0, count)
    values[0, 777] = 50.0
    names = ("loss", "top1", "top5", "lr", "images", "step_seconds", "wait_seconds")
    whole, small = History(), History(budget=300_000)
    for first in range(0, count, 500):
        part = values[:, first : first + 500]
        event = steps_of(first, START + first * STEP_SECONDS, dict(zip(names, part, strict=True)))
        whole.add(1, 0, event)
        small.add(1, 0, event)
    full, view = whole.freeze(), small.freeze()
    assert full.rows_kept_from == 0
    assert 0 < view.rows_kept_from < count
    assert view.rows_kept_from % 32 == 0
    kept = view.rows("loss", 0, count)
    np.testing.assert_array_equal(kept, values[0, view.rows_kept_from :])
    # Far out both are the same.
    axes: tuple[Axis, ...] = ("step", "time")
    for axis in axes:
        low, high = full.extent(axis) or (0, 0)
        far, near = (each.buckets("loss", axis, low, high, 100) for each in (full, view))
        np.testing.assert_allclose(near.x, far.x, atol=1e-3)
        np.testing.assert_array_equal(near.high, far.high)
        np.testing.assert_array_equal(near.count, far.count)
    # Close by, the spike is there all the same.
    near = view.buckets("loss", "step", 700, 900, 300)
    assert near.high.max() == 50.0
    assert near.count.tolist() == [32] * len(near.x)
    assert near.x.tolist() == list(range(672, 900, 32))
    close = view.buckets("loss", "time", 700 * STEP_SECONDS, 900 * STEP_SECONDS, 300)
    assert close.high.max() == 50.0
    assert view.at("time", 777) == pytest.approx(777 * STEP_SECONDS, abs=1e-3)


def test_a_resume_inside_evicted_rows_doubles_no_step() -> None:
    history = History(budget=100_000)
    for first in range(0, 30_000, 500):
        history.add(1, 0, steps_of(first, START + first, {"loss": np.ones(500, "<f4")}))
    history.freeze()
    begin(history, 2, from_step=1001)
    history.add(2, 0, steps_of(1001, START + 10**6, {"loss": np.full(99, 2, "<f4")}))
    view = history.freeze()
    found = view.buckets("loss", "step", 0, 10**6, 1000)
    assert view.steps == 1100
    # The rows of the stretch that was cut into are gone; none of them is there twice.
    assert found.count.sum() == 1001 // 32 * 32 + 99
    assert found.x.max() == 1099


def test_several_ranks_share_the_budget() -> None:
    history = History(budget=500_000)
    for rank in range(2):
        begin(history, rank=rank, ranks=2)
    for first in range(0, 30_000, 500):
        for rank in range(2):
            history.add(1, rank, steps(first, 500, START + first * STEP_SECONDS))
    view = history.freeze()
    assert view.steps == 30_000
    assert view.rows_kept_from > 0
    assert view.buckets("loss", "step", 0, 30_000, 80).count.sum() == 30_000
    assert view.buckets("images", "step", 0, 30_000, 80).low.min() == 64
