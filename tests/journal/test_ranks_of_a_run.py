"""Several ranks of one run: who may say what, and what their words come to together."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from engine.journal import events
from engine.journal.events import AnyEvent, PipelinePlanned, StagesMeasured
from engine.journal.fold import ExperimentFold
from engine.journal.pipeline_view import PipelineView
from engine.journal.views import RunView
from tests.journal.writing import steps_of

RUN = "01-pipeline"
WRITER: dict[str, Any] = {"journal": "", "host": "", "pid": 1, "boot": ""}
PLANNED = PipelinePlanned(
    schedule="1f1b",
    micro_batches=8,
    balance=(1, 3),
    layers=("stem", "layer1_0", "layer1_1", "head"),
    layer_seconds=(0.25, 0.5, 0.75, 0.125),
    layer_bytes=(10, 20, 30, 5),
    devices=("cuda:0", "cuda:1"),
)


def ready(device: str, **more: Any) -> AnyEvent:
    return events.Ready(
        t=5.0, model="resnet18", parameters=1, classes=("a", "b"), train_images=10, val_images=10,
        epochs=3, steps_per_epoch=10, total_steps=30, batch_size=1, device=device,
        device_name="", precision="fp32", workers=0, threads=1, **more,
    )  # fmt: skip


def measured(
    epoch: int, stages: tuple[int, ...], busy: tuple[float, ...], seconds: float, **more: Any
) -> AnyEvent:
    return StagesMeasured(
        epoch=epoch, step=10 * (epoch + 1), stages=stages, busy=busy, seconds=seconds, **more
    )


def epoch_ended(images: int, loss_sum: float | None, wait: float) -> AnyEvent:
    return events.EpochEnded(
        epoch=0, step=10, images=images, loss_sum=loss_sum, top1=images // 2, top5=images,
        seconds=4.0, wait_seconds=wait,
    )  # fmt: skip


class Told:
    """A fold of one run with two ranks."""

    def __init__(self) -> None:
        self.fold = ExperimentFold()
        self.begin(1, 0)

    def begin(self, attempt: int, from_step: int) -> None:
        for rank in range(2):
            event = events.AttemptStarted(rank=rank, world_size=2, from_step=from_step, **WRITER)
            self.rank(rank, event, attempt=attempt)

    def rank(self, rank: int, *told: AnyEvent, attempt: int = 1) -> None:
        for event in told:
            self.fold.apply_rank(RUN, attempt, rank, event)

    @property
    def run(self) -> RunView:
        (view,) = self.fold.freeze().runs
        return view

    @property
    def pipeline(self) -> PipelineView:
        view = self.run.pipeline
        assert view is not None
        return view


@pytest.fixture
def told() -> Told:
    return Told()


def test_what_is_known_before_the_first_step_is_the_first_ranks_word(told: Told) -> None:
    assert (told.run.world_size, told.run.ranks_ready, told.run.devices) == (2, 0, ())
    told.rank(1, ready("cuda:1"))
    assert told.run.ranks_ready == 1
    told.rank(0, ready("cuda:0"))
    assert told.run.ready is not None
    assert told.run.ready.device == "cuda:0"
    assert (told.run.ranks_ready, told.run.devices) == (2, ("cuda:0", "cuda:1"))


def test_one_process_may_have_several_devices(told: Told) -> None:
    told.rank(0, ready("cuda:0", devices=("cuda:0", "cuda:2")))
    assert told.run.devices == ("cuda:0", "cuda:2")


def test_phases_are_the_first_ranks(told: Told) -> None:
    told.rank(1, events.Phase(t=1.0, name="importing torch"))
    assert not told.run.phases
    told.rank(0, events.Phase(t=1.1, name="reading images"))
    assert [each.name for each in told.run.phases] == ["reading images"]


@pytest.mark.parametrize("nothing", [0.0, None], ids=["zero", "not a number"])
def test_a_stage_without_a_loss_does_not_spoil_an_epoch(told: Told, nothing: float | None) -> None:
    told.rank(0, epoch_ended(0, nothing, wait=2.0))
    told.rank(1, epoch_ended(40, 20.0, wait=0.0))
    (epoch,) = told.run.epochs
    assert (epoch.images, epoch.loss, epoch.top1, epoch.top5) == (40, 0.5, 0.5, 1.0)
    # The last stage waited too, for the first.
    assert epoch.wait_seconds == 2.0


@pytest.mark.parametrize("nothing", [0.0, math.nan], ids=["zero", "not a number"])
def test_a_stage_without_a_loss_does_not_spoil_a_step(told: Told, nothing: float) -> None:
    def row(**values: float) -> dict[str, Any]:
        return {name: np.array([value]) for name, value in values.items()}

    seconds = {"step_seconds": 0.5, "wait_seconds": 0.1}
    first = row(loss=nothing, top1=nothing, lr=0.1, images=nothing, **seconds)
    last = row(loss=2.0, top1=0.25, lr=0.1, images=16, step_seconds=0.6, wait_seconds=0.0)
    told.rank(0, steps_of(0, 1.0, first))
    told.rank(1, steps_of(0, 1.0, last))
    history = told.run.history
    expected = {"loss": 2.0, "top1": 0.25, "images": 16, "step_seconds": 0.6, "wait_seconds": 0.1}
    for metric, value in expected.items():
        assert history.last(metric) == pytest.approx(value), metric


def test_a_split_is_told_with_the_sums_of_its_stages(told: Told) -> None:
    assert told.run.pipeline is None
    told.rank(0, PLANNED)
    view = told.pipeline
    assert (view.schedule, view.micro_batches, view.balance) == ("1f1b", 8, (1, 3))
    assert (view.stages, view.devices, view.given, view.overlaps) == (
        2, ("cuda:0", "cuda:1"), False, True,
    )  # fmt: skip
    assert view.stage_seconds == (0.25, 1.375)
    assert view.stage_bytes == (10, 55)
    assert view.bubble_in_theory == pytest.approx(1 / 9)
    assert view.bubble is None


def test_a_split_that_was_given_has_no_times(told: Told) -> None:
    told.rank(
        0, PipelinePlanned(schedule="gpipe", micro_batches=4, balance=(2, 2), layers=tuple("abcd"))
    )
    assert (told.pipeline.stage_seconds, told.pipeline.stage_bytes) == ((), ())


@pytest.mark.parametrize("more", [{"micro_batches": 0}, {"balance": ()}, {"balance": (0, 4)}])
def test_a_split_into_nothing_is_damage(told: Told, more: dict[str, Any]) -> None:
    known: dict[str, Any] = {"schedule": "gpipe", "micro_batches": 4, "balance": (1,), "layers": ()}
    told.rank(0, PipelinePlanned(**{**known, **more}))
    assert told.run.pipeline is None


def test_every_rank_measures_its_own_stage(told: Told) -> None:
    told.rank(0, PLANNED, measured(0, (0,), (3.0,), 5.0, peak_bytes=(100,)))
    assert not told.pipeline.measured
    told.rank(1, measured(0, (1,), (4.0,), 7.0))
    (epoch,) = told.pipeline.measured
    # The last stage's 7 s are with the 2 s in which it waited for the first to read images.
    assert (epoch.busy, epoch.seconds, epoch.shares) == ((3.0, 4.0), 5.0, (0.6, 0.8))
    assert epoch.bubble == pytest.approx(1 - 7 / 10)
    assert told.pipeline.bubble == epoch.bubble
    assert epoch.peak_bytes == (100, None)


def test_one_process_measures_all_its_stages(told: Told) -> None:
    told.rank(0, PLANNED, measured(0, (0, 1), (1.0, 3.0), 4.0))
    assert told.pipeline.bubble == pytest.approx(0.5)
    told.rank(0, measured(1, (0, 1), (4.0, 4.0), 4.0))
    assert [each.epoch for each in told.pipeline.measured] == [0, 1]
    assert told.pipeline.bubble == 0.0


@pytest.mark.parametrize(
    ("busy", "seconds"), [((1.0, math.nan), 4.0), ((1.0,), 4.0), ((1.0, 1.0), 0.0)]
)
def test_a_measurement_that_cannot_be_believed_is_unknown(
    told: Told, busy: tuple[float, ...], seconds: float
) -> None:
    told.rank(0, PLANNED, measured(0, (0, 1), busy, seconds))
    assert told.pipeline.bubble is None


def test_a_resume_undoes_what_was_measured_after_it(told: Told) -> None:
    told.rank(0, PLANNED, *(measured(epoch, (0, 1), (2.0, 2.0), 4.0) for epoch in range(3)))
    told.begin(2, from_step=20)
    assert [each.epoch for each in told.pipeline.measured] == [0, 1]
    told.rank(0, PLANNED, measured(2, (0, 1), (4.0, 4.0), 4.0), attempt=2)
    assert [each.bubble for each in told.pipeline.measured] == [0.5, 0.5, 0.0]


def test_another_split_begins_anew(told: Told) -> None:
    told.rank(0, PLANNED, measured(0, (0, 1), (2.0, 2.0), 4.0))
    told.begin(2, from_step=10)
    other = PipelinePlanned(schedule="1f1b", micro_batches=8, balance=(2, 2), layers=PLANNED.layers)
    told.rank(0, other, attempt=2)
    assert (told.pipeline.balance, told.pipeline.measured) == ((2, 2), ())


def test_heartbeats_are_for_the_supervisor(told: Told) -> None:
    told.rank(0, events.Phase(t=1.0, name="building model"), PLANNED)
    before = told.run
    told.rank(1, events.Heartbeat(t=50.0, step=3, place=1, doing="forward"))
    assert told.run == before
    assert told.fold.freeze().last_event is not None
