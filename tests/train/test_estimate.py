from __future__ import annotations

import pytest

from engine.journal.events import EpochEstimated
from engine.train.estimate import Estimate
from tests.train.rows import row


def _told(sizes: tuple[int, ...], seconds: list[float]) -> list[EpochEstimated | None]:
    estimate = Estimate(3, sizes)
    return [estimate.step(row(step, spent)) for step, spent in enumerate(seconds)]


def test_images_by_batch_times_the_mean_of_the_first_steps_but_the_very_first() -> None:
    sizes = (32,) * 49 + (16,)
    told = _told(sizes, [60.0, *(0.1 * k for k in range(1, 11)), *[99.0] * 39])
    (event,) = [each for each in told if each is not None]
    assert told[10] is event
    assert (event.epoch, event.steps) == (3, 10)
    assert event.seconds == pytest.approx(49.5 * 0.55)


@pytest.mark.parametrize(("steps", "wanted"), [(4, 2), (8, 2), (20, 5), (40, 10), (4000, 10)])
def test_a_short_epoch_is_estimated_from_a_quarter_of_its_steps(steps: int, wanted: int) -> None:
    told = _told((8,) * steps, [5.0, *[2.0] * (steps - 1)])
    (event,) = [each for each in told if each is not None]
    assert event.steps == wanted
    assert event.seconds == pytest.approx(2.0 * steps)


@pytest.mark.parametrize("steps", [0, 1, 2, 3])
def test_nothing_is_estimated_where_nothing_would_be_left(steps: int) -> None:
    assert _told((8,) * steps, [1.0] * steps) == [None] * steps
