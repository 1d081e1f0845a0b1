from __future__ import annotations

import pytest
from msgspec import structs

from engine.journal.events import AttemptStarted, Event, Ready
from engine.journal.fold import ExperimentFold
from engine.report.stall import Stall, Waiting, stall
from tests.report.situations import folded, plan, steps
from tests.report.views import NOW, WRITER, ready, trained

DDP = plan("ddp", nproc=3)


def stalled(*ranks: list[Event]) -> Stall | None:
    (run,) = folded(DDP if len(ranks) == 3 else plan(), ranks).runs
    return stall(run)


def told(**more: object) -> Ready:
    return structs.replace(ready(epochs=3, steps_per_epoch=10, workers=6), **more)


def test_the_epoch_at_hand_by_rank_and_its_loader() -> None:
    shares = (0.1, 0.4, 0.2)
    ranks: list[list[Event]] = [
        [
            told(queue=4),
            # The first epoch waited all the time, and does not count any more.
            steps({"step_seconds": 1.0, "wait_seconds": 1.0, "decode_seconds": 1.0}, 10),
            steps(
                {
                    "step_seconds": 0.5,
                    "wait_seconds": 0.5 * share,
                    "decode_seconds": 0.004,
                    "queued": [1, 2, 1, 2],
                },
                4,
                first=10,
            ),
        ]
        for share in shares
    ]
    found = stalled(*ranks)
    assert found is not None
    assert found.now is not None
    assert (found.now.epoch, found.now.worst_rank) == (1, 1)
    assert found.now.median == pytest.approx(0.2)
    assert found.now.worst == pytest.approx(0.4)
    assert (found.workers, found.queue) == (6, 4)
    assert found.queued == pytest.approx(1.5)
    assert found.decode == pytest.approx(0.004)
    assert found.finished == ()


def test_workers_that_cannot_be_split_evenly_are_counted_as_they_run() -> None:
    waited = steps({"step_seconds": 1.0, "wait_seconds": 0.5}, 4)
    found = stalled(*([[structs.replace(told(queue=4), workers=4), waited]] * 3))
    assert found is not None
    assert found.workers == 6


def test_ranks_of_an_earlier_attempt_no_longer_count() -> None:
    fold = ExperimentFold()
    for attempt, world, count in ((1, 3, 5), (2, 1, 5)):
        for rank in range(world):
            begun = 5 * (attempt - 1)
            begin = AttemptStarted(t=NOW, rank=rank, world_size=world, from_step=begun, **WRITER)  # type: ignore[arg-type]
            share = 0.9 if rank else 0.1
            rows = steps({"step_seconds": 1.0, "wait_seconds": share}, count, first=begun)
            for event in (begin, told(), rows):
                fold.apply_rank("01-ddp", attempt, rank, event)
    (run,) = fold.freeze().runs
    found = stall(run)
    assert found is not None
    assert found.now is not None
    assert (found.now.epoch, found.now.worst_rank) == (0, 0)
    assert found.now.worst == pytest.approx(0.1)


def test_a_device_that_was_fed_in_time_did_not_wait_though_its_host_did() -> None:
    columns = {"step_seconds": 1.0, "wait_seconds": 0.6, "starved_seconds": 0.1}
    found = stalled([told(device="cuda:0"), steps(columns, 5)])
    assert found is not None
    assert found.now is not None
    assert found.now.worst == pytest.approx(0.1)


def test_the_last_step_of_an_epoch_belongs_to_it() -> None:
    columns = {"step_seconds": 1.0, "wait_seconds": 0.3}
    found = stalled([told(), steps(columns, 10)])
    assert found is not None
    assert found.now is not None
    assert found.now.epoch == 0
    assert found.now.worst == pytest.approx(0.3)


def test_finished_epochs_from_their_sums_and_from_older_journals_without() -> None:
    sums = {"step_seconds": 10.0, "wait_seconds": 6.0, "starved_seconds": 2.5}
    first = structs.replace(trained(0, 10, 80, 1.0, 10.0, 6.0), sums=sums)
    second = trained(1, 20, 80, 1.0, 10.0, 4.0)
    found = stalled([told(), steps({"step_seconds": 1.0}, 20), first, second])
    assert found is not None
    assert found.finished == (
        Waiting(epoch=0, median=0.25, worst=0.25, worst_rank=0),
        Waiting(epoch=1, median=0.4, worst=0.4, worst_rank=0),
    )
    # Its steps were not asked how long they waited.
    assert found.now is None
    assert (found.queued, found.queue, found.decode) == (None, None, None)


def test_nothing_before_the_first_step_and_where_nothing_was_measured() -> None:
    assert stalled([told()]) is None
    assert stalled([told(), steps({"step_seconds": 1.0}, 5)]) is None


def test_a_share_is_never_more_than_all_of_it() -> None:
    found = stalled([told(), steps({"step_seconds": 1.0, "wait_seconds": 1.001}, 5)])
    assert found is not None
    assert found.now is not None
    assert found.now.worst == 1.0
