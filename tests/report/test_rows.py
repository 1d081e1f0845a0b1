from __future__ import annotations

import math
from dataclasses import replace

import pytest

from engine.journal.events import PipelinePlanned, RunEnded, StagesMeasured
from engine.report.rows import Row, by_kind, kinds, reasons, remarks, rows
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


def test_how_a_run_was_spread_is_what_its_process_said() -> None:
    told = ready(
        epochs=1, steps_per_epoch=2, batch_size=64, device="cuda:0", precision="bf16",
        device_batch=16, norm_batch=32, devices=("cuda:0", "cuda:1"),
    )  # fmt: skip
    (row,) = rows(folded([told]))
    assert (row.precision, row.ranks) == ("bf16", 1)
    assert (row.device_kind, row.device_count) == ("cuda", 2)
    assert (row.batch_size, row.device_batch, row.norm_batch) == (64, 16, 32)
    assert (row.stages, row.micro_batches, row.bubble, row.bubble_in_theory) == (None,) * 4


def test_stages_that_share_a_device_use_one() -> None:
    told = ready(epochs=1, steps_per_epoch=2, device="cuda:0", devices=("cuda:0", "cuda:0"))
    (row,) = rows(folded([told]))
    assert row.device_count == 1


def test_a_bubble_leaves_the_first_epoch_out_as_the_rates_do() -> None:
    planned = PipelinePlanned(schedule="gpipe", micro_batches=3, balance=(1, 1), layers=("a", "b"))

    def measured(epoch: int, *busy: float) -> StagesMeasured:
        return StagesMeasured(epoch=epoch, step=epoch + 1, stages=(0, 1), busy=busy, seconds=4.0)

    (row,) = rows(folded([planned]))
    assert (row.stages, row.micro_batches, row.bubble) == (2, 3, None)
    assert row.bubble_in_theory == 0.25
    (row,) = rows(folded([planned, measured(0, 0.5, 0.5)]))
    assert row.bubble == 0.875
    later = [measured(0, 0.5, 0.5), measured(1, 4.0, 2.0), measured(2, 4.0, 4.0)]
    (row,) = rows(folded([planned, *later]))
    assert row.bubble == 1 - 14 / 16


def made(strategy: str, **more: object) -> Row:
    (row,) = rows(folded([], queued_only=True, strategy=strategy))
    return replace(row, **more)  # type: ignore[arg-type]


def test_a_batch_that_is_normalised_in_parts_is_said_in_words() -> None:
    whole = made("single", batch_size=64, norm_batch=64, device_kind="cpu")
    parts = [
        made(name, batch_size=64, norm_batch=part, device_kind="cpu")
        for name, part in (("ddp", 32), ("gpipe", 16), ("pipeline", 16), ("gpipe", 16))
    ]
    assert remarks([whole, made("amp")]) == ()
    assert remarks([whole, *parts]) == (
        "ddp: batch normalisation sees 32 of 64 images.",
        "gpipe, pipeline: batch normalisation sees 16 of 64 images.",
    )


def test_what_several_runs_ended_of_is_said_once() -> None:
    runs = [
        made("single", reason="after 3 steps, as asked"),
        made("ddp", reason="rank 1 was killed"),
        made("amp", reason="after 3 steps, as asked"),
        made("amp", reason="after 3 steps, as asked"),
        made("gpipe"),
    ]
    assert reasons(runs) == ("single, amp: after 3 steps, as asked", "ddp: rank 1 was killed")


def test_kinds_of_devices_are_never_in_one_table() -> None:
    cpu, cuda, queued = (
        made("single", device_kind="cpu"),
        made("ddp", device_kind="cuda"),
        made("amp"),
    )
    assert kinds([cpu, queued]) == ("cpu",)
    assert by_kind([cpu, queued]) == ((cpu, queued),)
    assert by_kind([cpu, cuda, queued]) == ((cpu, queued), (cuda,))
    (sentence,) = remarks([cpu, cuda, queued])
    assert "different kinds of devices (cpu, cuda)" in sentence
    assert by_kind([]) == ((),)
