from __future__ import annotations

import math

import pytest

from engine.journal.events import Notice
from engine.train.alerts import NotFinite, Readers, Starving
from engine.train.rows import Loading
from tests.train.rows import row

LOADING = Loading(read=10, seconds=0.4)


def _starve(starving: Starving, share: float, steps: int) -> list[Notice]:
    """Steps of 1 s."""
    told = [starving.step(row(wait=share, loading=LOADING)) for _ in range(steps)]
    return [each for each in told if each is not None]


def test_a_loader_that_takes_most_of_the_time_is_told_once_until_it_is_well_again() -> None:
    starving = Starving(Readers(workers=2, cores=8))
    (notice,) = _starve(starving, 0.6, 60)
    assert (notice.level, notice.code) == ("warning", "starving")
    assert notice.text == (
        "60% of the last 10 s went to waiting for data: 2 workers read 10 images/s at 40.0 ms "
        "each; raise --workers from 2"
    )
    assert _starve(starving, 0.45, 60) == []  # better, and not well
    assert _starve(starving, 0.6, 60) == []
    assert _starve(starving, 0.1, 60) == []
    (again,) = _starve(starving, 0.8, 60)
    # 30 s, more than half of which were waited for: 18 x 0.8 s and 12 x 0.1 s.
    assert again.text.startswith("52% of the last 30 s")


def test_nothing_is_said_of_the_first_step_nor_of_a_short_time_nor_of_half_of_it() -> None:
    starving = Starving(Readers(workers=0, cores=4))
    assert starving.step(row(seconds=100.0, wait=100.0)) is None
    assert _starve(starving, 1.0, 9) == []
    (notice,) = _starve(starving, 1.0, 1)
    assert "the training thread itself reads 10 images/s" in notice.text
    assert _starve(Starving(Readers(2, 8)), 0.5, 100) == []


def test_what_all_workers_read_is_told_and_not_what_one_rank_had_of_it() -> None:
    (notice,) = _starve(Starving(Readers(workers=8, cores=32, ranks=4)), 0.6, 20)
    assert "8 workers read 40 images/s" in notice.text
    (notice,) = _starve(Starving(Readers(workers=0, cores=32, ranks=4)), 0.6, 20)
    assert "the ranks themselves read 40 images/s" in notice.text


def test_cores_that_all_read_already_cannot_be_told_to_read_more() -> None:
    (notice,) = _starve(Starving(Readers(workers=4, cores=4)), 0.9, 20)
    assert "raise" not in notice.text
    assert "all 4 cores read already" in notice.text


def test_a_device_that_is_busy_while_its_host_waits_does_not_starve() -> None:
    starving = Starving(Readers(2, 8))
    told = [starving.step(row(wait=0.9, starved=0.1)) for _ in range(60)]
    assert told == [None] * 60
    told = [starving.step(row(wait=0.9, starved=0.8)) for _ in range(60)]
    assert sum(each is not None for each in told) == 1


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_the_first_loss_that_is_no_number_is_told_and_no_other(loss: float) -> None:
    check = NotFinite()
    assert check.step(row(0)) is None
    notice = check.step(row(7, loss=loss, finite=False))
    assert notice is not None
    assert (notice.level, notice.code) == ("warning", "not-finite")
    assert notice.text == "the loss of step 7 is not a finite number, at learning rate 0.1"
    assert check.step(row(8, loss=loss, finite=False)) is None


def test_a_scaler_that_skips_the_step_is_said_to() -> None:
    check = NotFinite(skips=True, scaled=True)
    assert check.step(row(0, finite=False)) is None  # only gradients overflowed, as fp16 begins
    notice = check.step(row(1, loss=math.inf, finite=False))
    assert notice is not None
    assert notice.text.endswith("the gradient scaler skipped the step and lowered its scale")


def test_a_skipped_step_is_said_to_be_skipped_whether_or_not_its_loss_is_a_number() -> None:
    by_loss, by_gradient = NotFinite(skips=True), NotFinite(skips=True)
    assert by_loss.step(row(0)) is None
    for check, found, what in ((by_loss, math.nan, "loss"), (by_gradient, 1.0, "gradient")):
        notice = check.step(row(3, loss=found, finite=False))
        assert notice is not None
        assert notice.text == (
            f"the {what} of step 3 is not a finite number, at learning rate 0.1; the step was "
            "skipped: weights, averages and statistics are as before it"
        )
        assert check.step(row(4, loss=found, finite=False)) is None
