from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.journal.events import Event
from engine.journal.step_columns import DEVICE_PARTS, HOST_PARTS, column
from engine.journal.views import RunView
from engine.report.ledger import WORDS, Times, device_ledger, host_ledger, latest, recent
from tests.report.situations import folded, plan, steps
from tests.report.views import ready

SECONDS = st.floats(0.0, 1e9)
SUMS = st.dictionaries(
    st.sampled_from([column(each) for each in ("step", *HOST_PARTS, *DEVICE_PARTS)]), SECONDS
)


def run(*ranks: list[Event], ended: bool = False) -> RunView:
    made = plan("ddp", nproc=len(ranks)) if len(ranks) > 1 else plan()
    (view,) = folded(made, ranks, ended=ended).runs
    return view


def one(times: tuple[Times, ...]) -> Times:
    (only,) = times
    return only


def test_on_a_cpu_computing_is_what_waiting_and_the_rest_leave() -> None:
    sums = {"step_seconds": 10.0, "wait_seconds": 2.0, "agree_seconds": 1.0, "other_seconds": 0.5}
    host = host_ledger({**sums, "forward_seconds": 3.0, "backward_seconds": 3.0})
    assert host.parts == (("wait", 2.0), ("agree", 1.0), ("compute", 6.5), ("other", 0.5))
    assert host.seconds == 10.0

    device = device_ledger({**sums, "forward_seconds": 3.0, "backward_seconds": 3.0})
    assert device.parts == (
        ("starved", 2.0),
        ("peers", 1.0),
        ("forward", 3.0),
        ("backward", 3.0),
        ("idle", 1.0),
    )
    assert device.share("forward", "backward") == pytest.approx(0.6)


def test_a_device_and_its_host_have_a_ledger_each() -> None:
    sums = {
        "step_seconds": 10.0,
        "wait_seconds": 4.0,
        "launch_seconds": 5.0,
        "other_seconds": 1.2,
        "starved_seconds": 1.0,
        "forward_seconds": 3.0,
        "backward_seconds": 5.0,
    }
    # The host's is its own time, which the device's end is some way behind.
    assert host_ledger(sums).seconds == pytest.approx(10.2)
    device = device_ledger(sums)
    assert device.of("idle") == pytest.approx(1.0)
    assert device.of("starved") == 1.0
    assert device.seconds == pytest.approx(10.0)


@given(SUMS)
def test_parts_add_up_and_have_words(sums: dict[str, float]) -> None:
    for ledger in (host_ledger(sums), device_ledger(sums)):
        assert sum(spent for _, spent in ledger.parts) == pytest.approx(ledger.seconds)
        assert all(spent >= 0.0 and part in WORDS for part, spent in ledger.parts)
        shares = [ledger.share(part) for part, _ in ledger.parts]
        assert ledger.seconds == 0 or sum(shares) == pytest.approx(1.0)


def test_a_ledger_of_nothing_has_no_shares() -> None:
    assert device_ledger({}).share("idle", "forward") == 0.0
    assert host_ledger({}).of("launch") == 0.0


def test_the_first_step_is_left_out_and_the_window_ends_with_the_last() -> None:
    seconds = [100.0, *[1.0] * 9, *[0.5] * 10]
    view = run([ready(epochs=1, steps_per_epoch=50), steps({"step_seconds": seconds}, 20)])

    assert latest(view, 1000.0) == (1, 20)
    # Ten steps of half a second, and five of a whole one.
    assert latest(view, 10.0) == (5, 20)
    times = one(recent(view, 10.0))
    assert times.steps == 15
    assert times.device.seconds == pytest.approx(10.0)
    assert (times.median_step, times.p95_step) == (0.5, 1.0)


def test_nothing_before_the_second_step() -> None:
    assert recent(run([ready(epochs=1, steps_per_epoch=50)])) == ()
    assert recent(run([steps({"step_seconds": 1.0}, 1)])) == ()


def test_each_rank_has_its_own_times() -> None:
    fast = {"step_seconds": 1.0, "forward_seconds": 0.25, "exchange_seconds": 0.5, "images": 8}
    slow = {"step_seconds": 1.0, "forward_seconds": 0.75, "exchange_seconds": 0.0, "images": 7}
    first, second = recent(run([steps(fast, 11)], [steps(slow, 11)]))
    assert (first.rank, second.rank) == (0, 1)
    assert (first.images, second.images) == (80, 70)
    # Waiting for the other's gradients is no work.
    assert (first.work, second.work) == (0.25, 0.75)
    assert first.device.share("exchange") == pytest.approx(0.5)


def test_means_of_what_is_no_part_of_the_time() -> None:
    columns = {
        "step_seconds": 1.0,
        "decode_seconds": [9.0, 0.002, 0.004, math.nan],
        "queued": [9.0, 1.0, math.nan, 2.0],
        "lag_seconds": 0.1,
    }
    times = one(recent(run([steps(columns, 4)])))
    assert times.decode == pytest.approx(0.003)
    assert times.queued == pytest.approx(1.5)
    assert times.lag == pytest.approx(0.1)
    assert times.device.parts == (("idle", 3.0),)


def test_a_step_without_a_time_takes_its_parts_with_it() -> None:
    columns = {
        "step_seconds": [1.0, 1.0, math.nan, 1.0, -5.0, math.inf],
        "forward_seconds": 0.5,
        "images": 8,
    }
    times = one(recent(run([steps(columns, 6)])))
    assert (times.steps, times.images) == (2, 16)
    assert times.device.parts == (("forward", 1.0), ("idle", 1.0))


ODD = st.sampled_from([0.0, -1.0, 1e-9, 0.5, 3.0, 1e30, math.nan, math.inf, -math.inf])
NAMES = st.sampled_from(
    [*(column(each) for each in ("step", "decode", "lag", *HOST_PARTS, *DEVICE_PARTS)), "images"]
)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(NAMES, st.lists(ODD, min_size=8, max_size=8), min_size=1))
def test_no_rows_are_so_odd_that_ledgers_do_not_add_up(columns: dict[str, list[float]]) -> None:
    for times in recent(run([steps(columns, 8)])):
        for ledger in (times.host, times.device):
            assert math.isfinite(ledger.seconds)
            assert sum(spent for _, spent in ledger.parts) == pytest.approx(ledger.seconds)
        assert math.isfinite(times.work)
