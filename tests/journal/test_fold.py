"""The fold: what events come to, in order, out of order, and with some of them missing."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any

import pytest

from engine.journal import events
from engine.journal.events import AnyEvent
from engine.journal.fold import ExperimentFold
from engine.journal.node import SAMPLES
from engine.journal.views import RunView
from tests.journal.judging import judged
from tests.journal.writing import steps

RUN = "01-single"
WRITER: dict[str, Any] = {"journal": "", "host": "", "pid": 1, "boot": ""}


def attempt(t: float = 0.0, *, from_step: int = 0, rank: int = 0, ranks: int = 1) -> AnyEvent:
    return events.AttemptStarted(t=t, rank=rank, world_size=ranks, from_step=from_step, **WRITER)


def epoch_ended(epoch: int, step: int, *, loss: float = 10.0, images: int = 10) -> AnyEvent:
    return events.EpochEnded(
        t=step, epoch=epoch, step=step, images=images, loss_sum=loss, top1=5, top5=8,
        seconds=3.0, wait_seconds=1.0,
    )  # fmt: skip


def validated(epoch: int, step: int, top1: int = 7) -> AnyEvent:
    return events.Validated(
        t=step, epoch=epoch, step=step, images=10, loss_sum=20.0, top1=top1, top5=9, seconds=1.0
    )


def ready(steps_per_epoch: int = 10) -> AnyEvent:
    return events.Ready(
        t=5.0, model="resnet18", parameters=1, classes=("a", "b"), train_images=10, val_images=10,
        epochs=3, steps_per_epoch=steps_per_epoch, total_steps=3 * steps_per_epoch, batch_size=1,
        device="cpu", device_name="", precision="fp32", workers=0, threads=1,
    )  # fmt: skip


class Told:
    """A fold, and short words for telling it things."""

    def __init__(self) -> None:
        self.fold = ExperimentFold()

    def supervisor(self, *told: AnyEvent) -> None:
        for event in told:
            self.fold.apply_supervisor(event)

    def rank(self, *told: AnyEvent, attempt: int = 1, rank: int = 0) -> None:
        for event in told:
            self.fold.apply_rank(RUN, attempt, rank, event)

    def run(self) -> RunView:
        view = self.fold.freeze().run(RUN)
        assert view is not None
        return view


@pytest.fixture
def told() -> Told:
    return Told()


def queued(t: float = 1.0) -> AnyEvent:
    return events.RunQueued(t=t, run=RUN, strategy="single", seed=3)


def started(number: int = 1, t: float = 2.0) -> AnyEvent:
    return events.RunStarted(t=t, run=RUN, attempt=number, argv=("python",), pid=9)


def ended(number: int = 1, state: events.EndState = "done", **more: Any) -> AnyEvent:
    return events.RunEnded(t=9.0, run=RUN, attempt=number, state=state, **more)


def test_a_run_is_queued_then_runs_then_ends(told: Told) -> None:
    assert told.fold.freeze().state == "starting"
    told.supervisor(events.SupervisorStarted(t=0.5, **WRITER), queued())
    assert told.run().state == "queued"
    assert (told.run().strategy, told.run().seed, told.run().attempt) == ("single", 3, 0)
    told.supervisor(started())
    assert (told.run().state, told.run().started, told.run().argv) == ("running", 2.0, ("python",))
    told.supervisor(ended(state="failed", reason="no memory", detail="Traceback"))
    view = told.run()
    assert (view.state, view.ended, view.reason, view.detail) == (
        "failed", 9.0, "no memory", "Traceback",
    )  # fmt: skip
    told.supervisor(events.SupervisorEnded(t=10.0, state="failed"))
    whole = told.fold.freeze()
    assert (whole.state, whole.started, whole.ended, whole.last_event) == (
        "failed",
        0.5,
        10.0,
        10.0,
    )


def test_a_retry_is_queued_again_without_its_old_reason(told: Told) -> None:
    told.supervisor(queued(), started(), ended(state="failed", reason="no memory"), queued())
    assert (told.run().state, told.run().reason) == ("queued", "")
    told.supervisor(started(2, t=20.0))
    assert (told.run().state, told.run().attempt, told.run().started) == ("running", 2, 20.0)
    assert told.run().ended is None


def test_late_word_of_an_older_attempt_disturbs_nothing(told: Told) -> None:
    told.supervisor(queued(), started(), started(2, t=20.0))
    told.supervisor(ended(1, state="failed", reason="old"))
    told.rank(attempt(1.0), events.Phase(t=1.0, name="old"), attempt=1)
    told.rank(attempt(21.0), events.Phase(t=21.0, name="new"), attempt=2)
    told.rank(events.AttemptEnded(t=2.0, state="failed", step=0), attempt=1)
    view = told.run()
    assert (view.state, view.attempt, view.reason) == ("running", 2, "")
    assert [phase.name for phase in view.phases] == ["new"]


def test_a_run_that_nobody_closed_is_left_running(told: Told) -> None:
    told.supervisor(queued(), started(), events.SupervisorEnded(t=5.0, state="stopped"))
    assert told.run().state == "running"
    assert told.fold.freeze().state == "stopped"


def test_ranks_that_come_before_their_supervisor_are_believed(told: Told) -> None:
    told.rank(attempt(4.0), steps(0, 7, 5.0))
    view = told.run()
    assert (view.strategy, view.state, view.attempt, view.step) == ("single", "running", 1, 7)
    told.supervisor(queued(), started())
    assert (told.run().state, told.run().started) == ("running", 2.0)


def test_phases_last_until_the_next_or_until_a_step_begins(told: Told) -> None:
    told.rank(attempt(10.0), events.Phase(t=10.0, name="importing torch"))
    assert told.run().phases[0].seconds is None
    told.rank(events.Phase(t=12.5, name="warming up"))
    assert [phase.seconds for phase in told.run().phases] == [2.5, None]
    told.rank(steps(0, 4, since=14.0))
    assert told.run().phases[1].seconds == 1.5


def test_steps_that_began_before_a_phase_do_not_end_it(told: Told) -> None:
    told.rank(attempt(0.0), events.Phase(t=10.0, name="validating"))
    told.rank(steps(0, 4, since=9.0))
    assert told.run().phases[0].seconds is None
    # 0.05 s a step: the first to begin after 10.0 is the third of these.
    told.rank(steps(4, 10, since=9.92))
    assert told.run().phases[0].seconds == pytest.approx(0.02, abs=1e-6)


def test_ready_ends_a_phase_and_gives_epochs_a_length(told: Told) -> None:
    told.rank(attempt(0.0), events.Phase(t=1.0, name="building model"), ready(), steps(0, 25, 6.0))
    view = told.run()
    assert view.phases[0].seconds == 4.0
    assert view.history.extent("epoch") == (0.0, 2.5)
    assert view.epoch == 2
    told.rank(events.EpochStarted(t=7.0, epoch=1, step=10))
    assert told.run().epoch == 1


def test_an_epoch_is_the_exact_sum_over_its_ranks_and_waits_for_all(told: Told) -> None:
    for rank in range(2):
        told.rank(attempt(rank=rank, ranks=2), rank=rank)
    told.rank(epoch_ended(0, 10, loss=10.0, images=10), rank=0)
    assert told.run().epochs == ()
    told.rank(epoch_ended(0, 10, loss=50.0, images=20), rank=1)
    (epoch,) = told.run().epochs
    assert (epoch.images, epoch.loss, epoch.end_step) == (30, 2.0, 10)
    assert (epoch.top1, epoch.top5) == (10 / 30, 16 / 30)
    assert (epoch.seconds, epoch.wait_seconds) == (3.0, 1.0)


def test_what_a_resume_undoes_is_gone_and_what_it_repeats_counts_once(told: Told) -> None:
    told.rank(attempt(0.0), epoch_ended(0, 10), validated(0, 10, top1=1))
    told.rank(epoch_ended(1, 20), validated(1, 20), steps(0, 25, 1.0))
    told.rank(attempt(50.0, from_step=10), attempt=2)
    assert [epoch.epoch for epoch in told.run().epochs] == [0]
    assert [each.top1 for each in told.run().validations] == [0.1]
    assert told.run().step == 10
    told.rank(validated(0, 10, top1=2), epoch_ended(1, 20, loss=30.0), attempt=2)
    view = told.run()
    assert [(each.epoch, each.top1) for each in view.validations] == [(0, 0.2)]
    assert [(each.epoch, each.loss) for each in view.epochs] == [(0, 1.0), (1, 3.0)]


def test_a_loss_that_is_not_finite_is_nan(told: Told) -> None:
    told.rank(attempt(), events.Validated(
        epoch=0, step=1, images=4, loss_sum=None, top1=2, top5=4, seconds=1.0
    ))  # fmt: skip
    (view,) = told.run().validations
    assert math.isnan(view.loss)
    assert view.top1 == 0.5


def test_the_memory_shown_is_of_the_rank_that_uses_most(told: Told) -> None:
    told.rank(events.Memory(rss=5, peak_rss=9, peak_allocated=100), rank=0)
    told.rank(events.Memory(rss=9, peak_rss=9, peak_allocated=50), rank=1)
    assert told.run().memory == told.fold.freeze().runs[0].memory
    memory = told.run().memory
    assert memory is not None
    assert memory.peak_allocated == 100


def test_only_the_latest_samples_and_notices_are_kept(told: Told) -> None:
    told.fold.apply_node(
        0, events.NodeStarted(node=0, cores=4, memory_total=10, machine="x", **WRITER)
    )
    for second in range(SAMPLES + 50):
        sample = events.HostSample(t=second, cpu=0.5, memory_used=1, memory_total=2)
        told.fold.apply_node(0, sample)
        told.rank(events.Notice(t=second, level="info", text=str(second)))
    view = told.fold.freeze()
    assert (view.cores, view.machine) == (4, "x")
    assert len(view.host) == SAMPLES
    assert view.host[-1].t == SAMPLES + 49
    assert told.run().notices[-1].text == str(SAMPLES + 49)
    assert len(told.run().notices) < 1000


def test_dropped_events_and_absurd_steps_are_counted(told: Told) -> None:
    told.rank(events.Dropped(count=3), events.Dropped(count=4))
    told.rank(events.Steps(first=0, count=9, since=0.0, names=("loss",), columns=(b"",)))
    assert told.run().dropped == 7
    assert told.fold.freeze(skipped_lines=2).skipped_lines == 3


def test_views_of_runs_that_did_not_change_are_the_same_objects(told: Told) -> None:
    told.supervisor(queued(), started(), ended())
    told.supervisor(events.RunStarted(t=9.5, run="02-amp", attempt=1, argv=(), pid=9))
    before, other = told.fold.freeze().runs
    told.fold.apply_node(0, events.HostSample(t=10, cpu=0.5, memory_used=1, memory_total=2))
    # A sample is of the run that lasts.
    assert told.run() is before
    assert told.fold.freeze().run("02-amp") is not other
    told.rank(steps(0, 3, 1.0))
    assert told.run() is not before


def test_a_run_tells_its_repeat_and_what_its_latest_attempt_computes_with(told: Told) -> None:
    told.supervisor(events.RunQueued(t=1.0, run=RUN, strategy="single", seed=3, repeat=2))
    assert (told.run().repeat, told.run().versions) == (2, ())
    seen = []
    for number, rank, torch in ((1, 0, "2.12"), (1, 1, "2.11"), (2, 1, "2.13"), (2, 0, "2.14")):
        versions = {"python": "3.12", "torch": torch}
        begun = events.AttemptStarted(rank=rank, world_size=2, versions=versions, **WRITER)
        told.rank(begun, attempt=number, rank=rank)
        seen.append(dict(told.run().versions)["torch"])
    # Of the first rank that has told it: of two that compute with different ones, always the same.
    assert seen == ["2.12", "2.12", "2.13", "2.14"]
    assert told.run().versions == (("python", "3.12"), ("torch", "2.14"))


def test_runs_are_in_the_order_of_their_numbers(told: Told) -> None:
    for name in ("100-amp", "02-amp", "01-single", "99-single"):
        told.supervisor(events.RunQueued(run=name, strategy="amp", seed=0))
    names = [run.run for run in told.fold.freeze().runs]
    assert names == ["01-single", "02-amp", "99-single", "100-amp"]


@pytest.mark.parametrize("seed", range(20))
def test_no_order_and_no_gap_makes_it_fail(seed: int) -> None:
    """Every event to every journal, shuffled, some left out: a view comes out all the same."""
    chance = random.Random(seed)
    told = Told()
    everything: list[AnyEvent] = [
        events.SupervisorStarted(**WRITER), queued(), started(), started(2), ended(), ended(2),
        events.Acknowledged(command="", action="stop"), events.SupervisorEnded(state="done"),
        events.NodeStarted(node=0, cores=1, memory_total=1, **WRITER),
        events.HostSample(cpu=0.1, memory_used=1, memory_total=1),
        attempt(), attempt(from_step=7, ranks=3), attempt(from_step=2**40), ready(), ready(0),
        events.Phase(name="x"), steps(0, 10, 1.0), steps(10, 90, 2.0), steps(50, 10, 3.0),
        events.EpochStarted(epoch=4, step=0), epoch_ended(0, 10), epoch_ended(3, 5, images=0),
        validated(0, 10), validated(9, 2**50), events.Dropped(count=1),
        events.CheckpointSaved(path="", kind="last", epoch=0, step=1, size=1, seconds=1.0),
        events.Memory(rss=1, peak_rss=1), events.Notice(level="info", text=""),
        judged([[1, 2], [0, 3]]), judged([[1]], [9]),
        events.AttemptEnded(state="failed", step=3),
    ]  # fmt: skip
    takers: list[Callable[[AnyEvent], None]] = [
        told.fold.apply_supervisor,
        lambda event: told.fold.apply_node(chance.randrange(3), event),
        lambda event: told.fold.apply_rank(RUN, chance.randrange(4), chance.randrange(3), event),
    ]
    for _ in range(4):
        chance.shuffle(everything)
        for event in everything[chance.randrange(5) :]:
            chance.choice(takers)(event)
            if chance.random() < 0.2:
                told.fold.freeze()
    for run in told.fold.freeze().runs:
        low, high = run.history.extent("step") or (0.0, 0.0)
        assert run.history.buckets("loss", "time", -1e12, 1e12, 50).count.sum() >= 0
        assert high >= low


def stop_asked(told: Told) -> list[float | None]:
    return [run.stop_asked for run in told.fold.freeze().runs]


def asked(t: float, action: str, run: str = "", refused: str = "") -> AnyEvent:
    return events.Acknowledged(t=t, command="1", action=action, run=run, refused=refused)


def test_a_request_to_stop_shows_until_the_run_has_ended() -> None:
    told = Told()
    told.supervisor(queued(), started(), asked(20.0, "stop"), asked(25.0, "kill"))
    assert stop_asked(told) == [20.0]
    told.supervisor(ended())
    assert stop_asked(told) == [None]


def test_a_request_about_one_run_is_of_that_run_alone() -> None:
    told = Told()
    told.supervisor(queued(), started())
    told.supervisor(asked(5.0, "stop-run", "02-amp"), asked(6.0, "retry-run", RUN))
    told.supervisor(asked(7.0, "stop-run", RUN, refused="it does not wait in the queue"))
    assert stop_asked(told) == [None]
    told.supervisor(asked(8.0, "stop-run", RUN))
    assert stop_asked(told) == [8.0]


def test_a_new_attempt_was_not_asked_to_stop() -> None:
    told = Told()
    told.supervisor(queued(), started(), asked(5.0, "stop"), started(2))
    assert stop_asked(told) == [None]
