"""The figures of one run, from recorded events with known numbers."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from msgspec import structs

from engine.journal.events import (
    AttemptStarted,
    EndState,
    EpochEnded,
    EpochEstimated,
    Event,
    PipelinePlanned,
    RunEnded,
    RunStarted,
    StagesMeasured,
)
from engine.journal.fold import ExperimentFold
from engine.journal.step_columns import column
from engine.journal.views import RunView
from engine.report.figures import Figures
from engine.report.measured import measured, planned
from engine.report.steady import steady
from tests.report.situations import plan
from tests.report.views import (
    NOW,
    RUN,
    WRITER,
    begun,
    folded,
    memory,
    phase,
    ready,
    run_of,
    steps,
    trained,
    validated,
)

DONE = RunEnded(t=NOW + 50, run=RUN, attempt=1, state="done", reason="why")

THREE_EPOCHS: list[Event] = [
    ready(epochs=3, steps_per_epoch=2, batch_size=8, workers=3),
    phase("warming up", 1.0),
    begun(0, 0),
    steps(0, [5.0, 1.0], [4.0, 0.0], [8, 8]),
    structs.replace(trained(0, 2, 16, 32.0, 6.0, 4.0), estimated_seconds=2.0),
    validated(0, 2, top1=60, loss_sum=90.0),
    begun(1, 2),
    steps(2, [1.0, 1.0], [0.5, 0.5], [8, 8]),
    structs.replace(trained(1, 4, 16, 24.0, 2.0, 1.0), estimated_seconds=2.2),
    validated(1, 4, top1=80, loss_sum=50.0),
    begun(2, 4),
    steps(4, [2.0, 4.0], [0.0, 0.5], [8, 8]),
    structs.replace(trained(2, 6, 16, 8.0, 6.0, 0.5), estimated_seconds=4.5),
    validated(2, 6, top1=70, loss_sum=60.0),
    memory(),
]


def figures(*events: Event, ended: RunEnded | None = DONE, price: float | None = None) -> Figures:
    return measured(run_of(folded(events, ended=ended)), plan(), "first", price=price)


def test_a_run_of_known_numbers() -> None:
    told = figures(*THREE_EPOCHS)
    assert (told.name, told.experiment, told.view, told.repeat) == ("single", "first", "equal", 0)
    assert (told.state, told.repeats, told.reason) == ("done", 1, "why")
    # Without the first epoch, which warms up: 32 images in 8 s, 1.5 s of it waiting.
    assert told.images_per_second == 4.0
    assert told.stall_share == pytest.approx(1.5 / 8)
    assert told.steady
    # Of the same steps: 1, 1, 2, 4 s, whose mean is 2 s: 8 images in 2 s are 4 images/s.
    assert told.batch_seconds_median == 1.5
    assert told.batch_seconds_p95 == pytest.approx(np.quantile([1, 1, 2, 4], 0.95))
    assert (told.steps_rated, told.steps_kept) == (4, 4)
    # The last whole epoch.
    assert (told.epoch_seconds_estimated, told.epoch_seconds_actual) == (4.5, 6.0)
    assert told.epoch_seconds_error == pytest.approx(-0.25)
    assert (told.first_epoch_seconds, told.train_seconds) == (6.0, 14.0)
    assert told.wall_seconds == 50.0
    assert (told.epochs, told.optimizer_steps) == (3, 6)
    assert (told.train_loss, told.val_loss) == (0.5, 0.6)
    assert (told.top1, told.best_top1) == (0.7, 0.8)
    assert (told.top5, told.best_top5) == (None, None)
    assert told.peak_memory == 20
    assert (told.gpu_hours, told.cost, told.device_idle_share) == (None, None, None)
    assert (told.num_workers, told.batch_size, told.ranks) == (3, 8, 1)


def test_a_single_epoch_has_nothing_to_leave_out() -> None:
    told = figures(
        ready(epochs=1, steps_per_epoch=2),
        steps(0, [6.0, 2.0], [4.0, 0.0], [8, 8]),
        trained(0, 2, 16, 32.0, 8.0, 4.0),
    )
    assert (told.images_per_second, told.stall_share, told.steady) == (2.0, 0.5, False)
    assert (told.batch_seconds_median, told.first_epoch_seconds) == (4.0, None)


def test_before_the_first_epoch_ends_steps_tell_the_rate() -> None:
    told = figures(
        ready(epochs=1, steps_per_epoch=9),
        steps(0, [1.0, 3.0], [0.5, 0.5], [8, 8]),
        EpochEstimated(t=NOW, epoch=0, seconds=18.0, steps=1),
        ended=None,
    )
    assert (told.images_per_second, told.stall_share) == (4.0, 0.25)
    assert (told.batch_seconds_median, told.steady, told.state) == (2.0, False, "running")
    assert (told.epoch_seconds_estimated, told.epoch_seconds_actual) == (18.0, None)
    assert (told.wall_seconds, told.train_seconds) == (None, None)


def test_an_epoch_that_a_limit_cut_short_counts_for_rates_and_not_as_one() -> None:
    told = figures(
        ready(epochs=2, steps_per_epoch=4),
        trained(0, 4, 32, 1.0, 4.0, 0.0),
        structs.replace(trained(1, 5, 8, 1.0, 0.5, 0.0), estimated_seconds=2.0),
    )
    assert (told.epochs, told.images_per_second) == (1, 16.0)
    assert (told.epoch_seconds_estimated, told.epoch_seconds_actual) == (None, 4.0)
    only = figures(ready(epochs=2, steps_per_epoch=4), trained(0, 1, 8, 1.0, 1.0, 0.0))
    assert (only.images_per_second, only.epoch_seconds_actual) == (8.0, None)


def test_top_5_tells_something_from_six_classes_on() -> None:
    for classes, expected in (("abcde", None), ("abcdef", 0.99)):
        told = figures(
            ready(epochs=1, steps_per_epoch=2, classes=classes),
            validated(0, 2, top1=70, loss_sum=60.0),
        )
        assert (told.top5, told.best_top5) == (expected, expected)


def test_a_loss_that_is_no_number_is_not_unknown() -> None:
    told = figures(trained(0, 2, 16, None, 8.0, 4.0))
    assert told.train_loss is not None
    assert math.isnan(told.train_loss)


def test_starting_up_is_from_the_launch_to_the_first_step() -> None:
    first = structs.replace(steps(0, [1.0], [0.0], [8]), since=NOW + 12.0, t=NOW + 13.0)
    told = figures(
        phase("importing torch", 0.0),
        phase("building model", 3.0),
        ready(epochs=1, steps_per_epoch=1),
        phase("compiling", 4.0),
        first,
        phase("validating", 13.0),
    )
    assert told.startup_seconds == 12.0
    assert told.warmup_seconds == 8.0
    warming = figures(ready(epochs=1, steps_per_epoch=1), phase("warming up", 4.0), ended=None)
    assert (warming.startup_seconds, warming.warmup_seconds) == (None, None)


def test_warming_up_is_known_after_any_number_of_epochs() -> None:
    validations = [phase("validating", 10.0 + each) for each in range(300)]
    told = figures(ready(epochs=300, steps_per_epoch=1), phase("warming up", 4.0), *validations)
    assert told.warmup_seconds == 6.0


def gpu_epoch(epoch: int, seconds: float, **parts: float) -> EpochEnded:
    sums = {column(name): spent for name, spent in {"step": seconds, **parts}.items()}
    return structs.replace(trained(epoch, 2 * (epoch + 1), 16, 1.0, seconds, 0.0), sums=sums)


def ranks(*told: list[Event], until: float = 3600.0) -> RunView:
    """A run of several ranks that lasted so many seconds."""
    fold = ExperimentFold()
    fold.apply_supervisor(RunStarted(t=NOW, run=RUN, attempt=1, argv=("x",), pid=1))
    for rank, events in enumerate(told):
        start = AttemptStarted(t=NOW, rank=rank, world_size=len(told), **WRITER)  # type: ignore[arg-type]
        for event in (start, *events):
            fold.apply_rank(RUN, 1, rank, event)  # type: ignore[arg-type]
    fold.apply_supervisor(RunEnded(t=NOW + until, run=RUN, attempt=1, state="done"))
    return run_of(fold.freeze())


def on_gpu(index: int, **more: Any) -> Event:
    more.setdefault("device", f"cuda:{index}")
    return ready(epochs=2, steps_per_epoch=2, uuids=(f"GPU-{index}",), **more)


def test_on_gpus_time_is_told_by_the_devices_clock() -> None:
    run = ranks(
        [
            on_gpu(0),
            gpu_epoch(0, 99.0, starved=99.0, forward=0.0),
            gpu_epoch(1, 10.0, starved=2.0, wait=5.0, forward=3.0, backward=4.0),
            memory(peak_reserved=7),
        ],
        [
            on_gpu(1),
            gpu_epoch(0, 99.0, starved=99.0, forward=0.0),
            gpu_epoch(1, 10.0, starved=1.0, peers=2.0, forward=4.0, backward=1.0),
            memory(peak_reserved=9),
        ],
    )
    told = measured(run, plan("ddp"), "first", price=2.0)
    # The first rank waits longest; they idle 1 and 2 of 10 s for no reason of these.
    assert told.stall_share == pytest.approx(0.2)
    assert told.device_idle_share == pytest.approx(3 / 20)
    assert told.images_per_second == pytest.approx(3.2)
    assert told.peak_memory == 9
    # 2 GPUs for an hour.
    assert (told.device_count, told.ranks) == (2, 2)
    assert told.gpu_hours == pytest.approx(2.0)
    assert told.cost == pytest.approx(4.0)


def test_a_run_that_was_resumed_paid_for_all_its_attempts() -> None:
    def resumed(*told: Event) -> float | None:
        fold = ExperimentFold()
        for event in told:
            fold.apply_supervisor(event)  # type: ignore[arg-type]
        return measured(run_of(fold.freeze()), plan(), "first").wall_seconds

    def started(attempt: int, t: float) -> Event:
        return RunStarted(t=NOW + t, run=RUN, attempt=attempt, argv=(), pid=1)

    def ended(attempt: int, t: float, state: EndState = "done") -> Event:
        return RunEnded(t=NOW + t, run=RUN, attempt=attempt, state=state)

    first = started(1, 0), ended(1, 10, "stopped")
    assert resumed(*first) == 10.0
    assert resumed(*first, started(2, 1000)) is None
    assert resumed(*first, started(2, 1000), ended(2, 1030)) == 40.0
    # When an attempt was killed with its supervisor, nobody knows how long it lasted.
    assert resumed(started(1, 0), started(2, 1000), ended(2, 1030)) is None


def test_ranks_that_share_a_gpu_pay_for_one() -> None:
    told = measured(ranks([on_gpu(0)], [on_gpu(0)], until=1800.0), plan("ddp"), "first")
    assert (told.device_count, told.gpu_hours, told.cost) == (1, 0.5, None)


def test_idle_that_was_not_measured_is_unknown() -> None:
    told = measured(ranks([on_gpu(0), trained(0, 2, 16, 1.0, 1.0, 0.0)]), plan(), "first")
    assert told.device_idle_share is None


def test_stages_that_share_a_device_use_one() -> None:
    told = figures(
        ready(epochs=1, steps_per_epoch=2, device="cuda:0", devices=("cuda:0", "cuda:0"))
    )
    assert told.device_count == 1


def test_a_bubble_leaves_the_first_epoch_out_as_the_rates_do() -> None:
    split = PipelinePlanned(schedule="gpipe", micro_batches=3, balance=(1, 1), layers=("a", "b"))

    def stages(epoch: int, *busy: float) -> StagesMeasured:
        return StagesMeasured(epoch=epoch, step=epoch + 1, stages=(0, 1), busy=busy, seconds=4.0)

    told = figures(split)
    assert (told.stages, told.micro_batches, told.bubble) == (2, 3, None)
    assert told.bubble_in_theory == 0.25
    assert figures(split, stages(0, 0.5, 0.5)).bubble == 0.875
    later = [stages(0, 0.5, 0.5), stages(1, 4.0, 2.0), stages(2, 4.0, 4.0)]
    assert figures(split, *later).bubble == 1 - 14 / 16


def test_rows_that_were_let_go_are_missing_in_the_median_alone() -> None:
    run = run_of(
        folded(
            [
                ready(epochs=2, steps_per_epoch=4),
                steps(0, [9.0] * 4, [0.0] * 4, [8] * 4),
                trained(0, 4, 32, 1.0, 36.0, 0.0),
                steps(4, [5.0, 1.0, 1.0, 2.0], [0.0] * 4, [8] * 4),
                trained(1, 8, 32, 1.0, 9.0, 0.9),
            ]
        )
    )
    assert (steady(run).batch_seconds_median, steady(run).steps_kept) == (1.5, 4)
    shorter = replace(run, history=_Forgetful(run, 5))  # type: ignore[arg-type]
    told = steady(shorter)
    assert (told.batch_seconds_median, told.steps, told.steps_kept) == (1.0, 4, 3)
    assert told.images_per_second == steady(run).images_per_second == pytest.approx(32 / 9)
    assert told.stall_share == pytest.approx(0.1)


class _Forgetful:
    """A history that kept only the rows from a step on."""

    def __init__(self, run: RunView, kept: int) -> None:
        self._whole = run.history
        self.rows_kept_from = kept

    def __getattr__(self, name: str) -> Any:
        return getattr(self._whole, name)

    def rows(self, metric: str, first: int, last: int, rank: int | None = None) -> Any:
        return self._whole.rows(metric, max(first, self.rows_kept_from), last, rank)


def test_what_was_not_begun_is_what_is_planned() -> None:
    (run,) = folded([], queued_only=True).runs
    told = measured(run, plan("ddp", batch_size=64), "first")
    assert told == planned(plan("ddp", batch_size=64), "first")
    assert (told.state, told.repeats, told.epochs) == ("queued", 0, 0)
    assert (told.batch_size, told.batch_size_per_device, told.norm_batch) == (64, 32, 32)
    assert (told.precision, told.images_per_second, told.optimizer_steps) == (None, None, None)
    pipeline = planned(plan("gpipe", batch_size=64), "first")
    assert (pipeline.stages, pipeline.micro_batches) == (2, 8)


def test_rates_are_of_images_that_have_grown_once_there_are_any() -> None:
    """The last of three epochs is the first at the full side: 16 images in 6 s."""
    grows = plan(epochs=3, image_size=64, resize_from=32)
    told = measured(run_of(folded(THREE_EPOCHS, ended=DONE)), grows, "first")
    assert (told.images_per_second, told.grown, told.steady) == (16 / 6, True, True)
    assert (told.batch_seconds_median, told.steps_rated) == (3.0, 2)
    assert told.stall_share == pytest.approx(0.5 / 6)
    before = measured(run_of(folded(THREE_EPOCHS[:10], ended=DONE)), grows, "first")
    assert (before.images_per_second, before.grown) == (8.0, False)
    first = measured(run_of(folded(THREE_EPOCHS[:4], ended=DONE)), grows, "first")
    assert not first.grown
    assert figures(*THREE_EPOCHS).grown
