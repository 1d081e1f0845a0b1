from __future__ import annotations

import pytest

from tests.report.situations import GPUS, gpu_ready, host, plan, steps, verdict
from tests.report.views import ready


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
