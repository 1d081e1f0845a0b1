"""The rate of a trial: steps of known length give a known answer."""

from __future__ import annotations

import math
from array import array
from pathlib import Path

import pytest

from engine.journal import layout
from engine.journal.events import Steps
from engine.journal.files import Appender
from engine.run.pace import Pace, Rank, rate


def steps(seconds: list[float], images: float = 32, queued: list[float] | None = None) -> Rank:
    return Rank(seconds, [images] * len(seconds), queued or [math.nan] * len(seconds))


def test_the_first_steps_are_left_out() -> None:
    """Three at least, and half a second: here five steps, the first of which took a whole one."""
    found = rate([steps([9.0, 1.0, 1.0] + [0.25] * 20)], steps_per_epoch=1000)
    assert found is not None
    assert found.images_per_second == pytest.approx(32 / 0.25)
    assert (found.steps, found.spread) == (20, 0.0)
    assert found.seconds == pytest.approx(5.0)
    found = rate([steps([0.1] * 20)], steps_per_epoch=1000)
    assert found is not None
    assert found.steps == 15


def test_of_few_steps_half_count() -> None:
    assert rate([steps([5.0])], 1000) is None
    found = rate([steps([9.0, 4.0, 4.0])], 1000)
    assert found is not None
    assert (found.images_per_second, found.steps, found.spread) == (8.0, 2, math.inf)


def test_whole_epochs_count_where_there_are_some() -> None:
    """Three steps of 32 images in 1 s and a last one of 4 in 0.5 s: 100 images in 3.5 s."""
    epoch = [1.0, 1.0, 1.0, 0.5]
    rank = Rank(epoch * 6, [32.0, 32.0, 32.0, 4.0] * 6, [math.nan] * 24)
    found = rate([rank], steps_per_epoch=4)
    assert found is not None
    assert found.images_per_second == pytest.approx(100 / 3.5)
    assert (found.steps, found.spread) == (20, 0.0)


def test_the_slowest_rank_s_time_and_all_ranks_images() -> None:
    """Steps count that all of them have made; the first stage of a pipeline has no images."""
    ranks = [steps([0.5] * 14, 16), steps([0.6] * 13, 16), steps([0.4] * 13, 0)]
    found = rate(ranks, steps_per_epoch=1000)
    assert found is not None
    assert found.images_per_second == pytest.approx(32 / 0.6)
    assert found.steps == 10


def test_batches_that_were_ready_before_are_no_throughput() -> None:
    """A loader that makes half a batch in each step, while a training takes what it had ready."""
    queued = [40 - 0.5 * number for number in range(40)]
    found = rate([steps([0.5] * 40, 100, queued)], steps_per_epoch=1000)
    assert found is not None
    assert found.images_per_second == pytest.approx(100)
    # As many ready as before, but for chance; and a queue that fills.
    for level in ([4.0, 6.0] * 20, [20 + each for each in range(40)]):
        found = rate([steps([0.5] * 40, 100, [float(each) for each in level])], 1000)
        assert found is not None
        assert found.images_per_second == pytest.approx(200)


def test_the_spread_is_that_of_four_parts() -> None:
    """Rates of 90, 110, 90, 110: standard deviation 10, by the root of three."""
    lengths = [100 / 90] * 5 + [100 / 110] * 5
    found = rate([steps([1.0] * 3 + lengths * 2, 100)], steps_per_epoch=1000)
    assert found is not None
    assert found.spread == pytest.approx(0.1 / math.sqrt(3), rel=0.01)


def test_it_is_read_from_journals_and_known_in_time(tmp_path: Path) -> None:
    pace = Pace(tmp_path, "single-32", 1, 1)
    journal = Appender(layout.rank_journal(tmp_path, "single-32", 1, 0))

    def train(first: int, count: int) -> bool:
        columns = {"step_seconds": 0.25, "images": 32.0, "loss": 1.0}
        journal.append(
            Steps(
                first=first,
                count=count,
                since=1.0,
                names=tuple(columns),
                columns=tuple(array("f", [each] * count).tobytes() for each in columns.values()),
            )
        )
        assert pace.poll()
        found = pace.rate(steps_per_epoch=1000, queue=2)
        assert found is not None
        assert found.images_per_second == pytest.approx(128)
        return pace.is_known(found, queue=2)

    assert not pace.poll()
    assert not train(0, 4)
    # 5 are left out, 8 must count.
    assert not train(4, 8)
    assert train(12, 1)
    journal.close()
