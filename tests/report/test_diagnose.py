from __future__ import annotations

import pytest

from engine.journal.events import RunQueued
from engine.journal.fold import ExperimentFold
from engine.report.diagnose import Surroundings, diagnose
from tests.report.situations import GPUS, gpu_ready, host, plan, steps, verdict
from tests.report.views import NOW, ready


def test_two_workers_that_are_too_slow_for_a_gpu_and_how_many_would_do() -> None:
    # 3.1 ms x 64 images / 2 workers = 99 ms for a step of 71: it waits 28.
    columns = {
        "images": 64,
        "step_seconds": 0.099,
        "wait_seconds": 0.028,
        "starved_seconds": 0.028,
        "launch_seconds": 0.03,
        "other_seconds": 0.041,
        "forward_seconds": 0.025,
        "backward_seconds": 0.046,
        "decode_seconds": 0.0031,
        "queued": 0.0,
        "lag_seconds": 0.04,
    }
    told = gpu_ready(batch_size=64, workers=2, queue=4)
    said = verdict(plan(machine=GPUS, workers=2), [[told, steps(columns, 100)]], host(), cores=16)

    assert said.kind == "data"
    assert said.title == "waiting for data"
    assert said.finding == (
        "28 % of the time went to waiting for images: 2 workers make 645 images/s at 3.1 ms each, "
        "the step takes 901 images/s"
    )
    # 198 ms of reading in 71 ms takes 2.8, with a quarter to spare 3.5.
    assert said.change == "raise --workers from 2 to 4"
    assert dict(said.evidence) == {
        "waiting for data": "28 %",
        "workers": "2",
        "decode": "3.1 ms per image",
        "step without waiting": "71 ms",
        "batches ready": "0 of 4",
        "cores": "16, 50 % busy",
    }


def test_nothing_wrong_says_what_bounds_it() -> None:
    columns = {
        "images": 64,
        "step_seconds": 0.1,
        "wait_seconds": 0.001,
        "forward_seconds": 0.03,
        "backward_seconds": 0.06,
        "update_seconds": 0.004,
        "other_seconds": 0.001,
    }
    told = ready(epochs=1, steps_per_epoch=10_000, batch_size=64)
    said = verdict(plan(), [[told, steps(columns, 100)]])

    assert (said.kind, said.title, said.change) == ("fine", "nothing wrong", "")
    assert said.finding == "the CPU computes 94 % of the time"
    assert dict(said.evidence)["throughput"] == "640 images/s"


@pytest.mark.parametrize(("count", "kind"), [(0, "measuring"), (5, "measuring"), (6, "fine")])
def test_few_steps_say_nothing_and_the_first_is_not_one_of_them(count: int, kind: str) -> None:
    columns = {"images": 8, "step_seconds": 0.5, "wait_seconds": 0.0, "forward_seconds": 0.5}
    told = ready(epochs=1, steps_per_epoch=100)
    assert verdict(plan(), [[told, *([steps(columns, count)] if count else [])]]).kind == kind


def test_a_run_that_waits_for_its_turn_and_one_that_was_too_short() -> None:
    fold = ExperimentFold()
    fold.apply_supervisor(RunQueued(t=NOW, run="01-single", strategy="single", seed=0))
    (run,) = fold.freeze().runs
    said = diagnose(run, plan(), Surroundings())
    assert (said.kind, said.title) == ("measuring", "queued")
    assert diagnose(run, plan(), Surroundings(alive=False)).title == "queued"

    columns = {"step_seconds": 0.5, "wait_seconds": 0.4}
    told = ready(epochs=1, steps_per_epoch=3)
    said = verdict(plan(), [[told, steps(columns, 3)]], ended=True)
    assert (said.kind, said.title) == ("measuring", "too short")
    assert said.finding.startswith("it ended with 2 steps after its first")


def test_fast_steps_are_watched_for_a_second_while_they_come() -> None:
    columns = {"step_seconds": 0.02, "forward_seconds": 0.02, "wait_seconds": 0.0}
    told = ready(epochs=1, steps_per_epoch=1000)
    assert verdict(plan(), [[told, steps(columns, 40)]]).kind == "measuring"
    assert verdict(plan(), [[told, steps(columns, 60)]]).kind == "fine"
    assert verdict(plan(), [[told, steps(columns, 40)]], ended=True).kind == "fine"


def test_a_device_is_measured_against_its_own_roofline() -> None:
    columns = {
        "images": 256,
        "step_seconds": 0.1,
        "wait_seconds": 0.0,
        "starved_seconds": 0.0,
        "forward_seconds": 0.03,
        "backward_seconds": 0.07,
    }
    # 256 images in 0.1 s on each of two devices, of 9,226 that the H200's peaks allow one.
    told = [gpu_ready(model="resnet50", device=f"cuda:{rank}") for rank in range(2)]
    run = plan("ddp", GPUS, nproc=2, precision="bf16")
    said = verdict(run, [[each, steps(columns, 100)] for each in told])
    assert said.finding == (
        "the device computes and exchanges 100 % of the time, and reaches 28 % of its roofline"
    )
    assert ("roofline, estimated", "9,226 images/s a device") in said.evidence
    assert ("throughput", "5,120 images/s") in said.evidence
