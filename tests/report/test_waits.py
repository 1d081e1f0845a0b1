from __future__ import annotations

import pytest
from msgspec import structs

from engine.journal.events import Event
from engine.report.waits import Waits, waits
from tests.report.situations import folded, plan, steps
from tests.report.views import ready


def waited(*ranks: list[Event]) -> Waits | None:
    made = plan("ddp", nproc=len(ranks)) if len(ranks) > 1 else plan()
    (view,) = folded(made, ranks).runs
    return waits(view)


def test_in_each_step_the_rank_that_waits_longest_counts() -> None:
    told = ready(epochs=1, steps_per_epoch=100)
    # They take turns: each waits a tenth of the time, and all of them for both.
    one = {"step_seconds": 1.0, "wait_seconds": [0.2, 0.0] * 5}
    other = {"step_seconds": 1.0, "wait_seconds": [0.0, 0.2] * 5}
    found = waited([told, steps(one, 10)], [told, steps(other, 10)])
    assert found is not None
    assert found.share == pytest.approx(0.2)
    assert found.in_step == pytest.approx(0.2)
    assert found.first is None


def test_a_slow_first_batch_counts_once_an_epoch() -> None:
    told = ready(epochs=10, steps_per_epoch=10)
    wait = [0.0] * 10 + [2.0] + [0.0] * 4
    columns = {"step_seconds": [1.0 + each for each in wait], "wait_seconds": wait}
    found = waited([told, steps(columns, 15)])
    # 2 s in each epoch of 12 s, whichever part of one was looked at.
    assert found is not None
    assert found.share == pytest.approx(2 / 12)
    assert found.in_step == 0.0
    assert found.first == pytest.approx(2.0)


def test_the_very_first_batch_is_not_looked_at() -> None:
    told = ready(epochs=1, steps_per_epoch=100)
    wait = [30.0] + [0.0] * 9
    columns = {"step_seconds": [1.0 + each for each in wait], "wait_seconds": wait}
    found = waited([told, steps(columns, 10)])
    assert found == Waits(share=0.0, in_step=0.0, first=None)


def test_epochs_of_one_step_wait_at_their_first() -> None:
    told = ready(epochs=10, steps_per_epoch=1)
    found = waited([told, steps({"step_seconds": 1.0, "wait_seconds": 0.25}, 10)])
    assert found is not None
    assert (found.share, found.first) == (0.25, 0.25)


def test_what_a_device_waited_counts_and_not_its_host() -> None:
    told = structs.replace(ready(epochs=1, steps_per_epoch=100), device="cuda:0")
    columns = {"step_seconds": 1.0, "wait_seconds": 0.7, "starved_seconds": 0.1}
    found = waited([told, steps(columns, 10)])
    assert found is not None
    assert found.share == pytest.approx(0.1)


def test_unknown_where_it_was_not_measured() -> None:
    told = ready(epochs=1, steps_per_epoch=100)
    assert waited([told]) is None
    assert waited([told, steps({"step_seconds": 1.0}, 10)]) is None
    assert waited([told, steps({"step_seconds": 0.0, "wait_seconds": 0.0}, 10)]) is None
