"""Waiting for data: what is found, and how many workers are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from engine.journal.events import Event
from engine.report.verdict import Verdict
from tests.report.situations import GPUS, gpu_ready, host, plan, steps, verdict
from tests.report.views import ready


def columns(wait: float, compute: float, decode: float, images: float = 64) -> dict[str, float]:
    """Steps of a CPU."""
    return {
        "images": images,
        "step_seconds": wait + compute,
        "wait_seconds": wait,
        "forward_seconds": compute / 3,
        "backward_seconds": compute * 2 / 3,
        "decode_seconds": decode,
    }


def on_device(wait: float, compute: float, decode: float, images: float = 64) -> dict[str, float]:
    own = columns(wait, compute, decode, images)
    return {**own, "starved_seconds": wait, "launch_seconds": 0.4 * compute, "lag_seconds": compute}


def cpu(
    *ranks: dict[str, float],
    workers: int,
    cores: int = 2,
    node: Sequence[Event] | None = None,
    **settings: Any,
) -> Verdict:
    told = ready(epochs=1, steps_per_epoch=1000, batch_size=64, workers=workers)
    name = "ddp" if len(ranks) > 1 else "single"
    run = plan(name, nproc=len(ranks), workers=workers, **settings) if len(ranks) > 1 else plan()
    return verdict(run, [[told, steps(each, 100)] for each in ranks], node or [], cores=cores)


def gpu(
    *ranks: dict[str, float], workers: int, cores: int, node: Sequence[Event] | None = None
) -> Verdict:
    told = gpu_ready(batch_size=64, workers=workers)
    name = "ddp" if len(ranks) > 1 else "single"
    more = {"nproc": len(ranks)} if len(ranks) > 1 else {}
    run = plan(name, GPUS, workers=workers, **more)
    return verdict(run, [[told, steps(each, 100)] for each in ranks], node or [], cores=cores)


def test_without_workers_images_are_read_between_steps() -> None:
    # 64 images of 3.1 ms each take 198 ms, and a step 200 ms more.
    said = cpu(columns(0.1984, 0.2, 0.0031), workers=0)
    assert said.kind == "data"
    assert said.finding == (
        "50 % of the time went to waiting for images: they are read between steps, 64 of them at "
        "3.1 ms each"
    )
    # Beside computing on both cores a step takes 200 + 99 ms, in which one worker reads 198.
    assert said.change == "raise --workers from 0 to 1"


def test_workers_that_keep_up_leave_nothing_to_say() -> None:
    assert cpu(columns(0.002, 0.3, 0.0031), workers=2).kind == "fine"


@pytest.mark.parametrize(
    ("workers", "decode", "compute", "cores", "wanted"),
    [
        # 198 ms of reading in 20 ms of computing: 9.9 workers, 12.4 with a quarter to spare.
        (2, 0.0031, 0.020, 16, 13),
        (0, 0.0031, 0.020, 16, 13),
        # As far as the cores go.
        (2, 0.0031, 0.020, 8, 8),
        # Three would just do, four have something to spare.
        (2, 0.0031, 0.071, 16, 4),
        (1, 0.0010, 0.050, 16, 2),
    ],
)
def test_as_many_workers_as_reading_takes_of_a_step(
    workers: int, decode: float, compute: float, cores: int, wanted: int
) -> None:
    wait = 64 * decode / max(1, workers) - (compute if workers else 0)
    said = gpu(on_device(max(wait, 0.02), compute, decode), workers=workers, cores=cores)
    assert said.kind == "data"
    assert said.change == f"raise --workers from {workers} to {wanted}"


def test_workers_are_of_the_node_and_split_over_its_ranks() -> None:
    # 32 images for each of two ranks: 99 ms of reading in 40 ms takes 3.1 workers each.
    rank = on_device(0.06, 0.040, 0.0031, images=32)
    said = gpu(rank, rank, workers=2, cores=16)
    assert said.change == "raise --workers from 2 to 8"
    assert "2 workers make 645 images/s at 3.1 ms each, the step takes 1,600" in said.finding


def test_a_rank_that_waits_is_enough_to_hold_up_the_others() -> None:
    waits, meets = on_device(0.06, 0.04, 0.0031, 32), on_device(0.0, 0.04, 0.0031, 32)
    meets |= {"step_seconds": 0.1, "peers_seconds": 0.06, "agree_seconds": 0.06}
    said = gpu(meets, waits, workers=2, cores=16)
    assert said.kind == "data"
    assert said.finding.startswith("60 % of the time")


def test_cores_that_train_and_read_have_none_left() -> None:
    busy = host(cpu=0.97, tree_cpu=1.9)
    said = cpu(columns(0.1, 0.3, 0.008), workers=2, node=busy)
    assert said.kind == "data"
    assert said.finding.endswith("; 2 cores do both")
    assert (
        said.change == "shrink the image files to about 256 px, once: smaller ones are read faster"
    )


def test_two_ranks_on_two_cores_gain_nothing_from_workers() -> None:
    rank = columns(0.2, 0.3, 0.006, images=32)
    said = cpu(rank, rank, workers=0)
    assert said.kind == "data"
    assert "--workers" not in said.change
    assert said.finding.endswith("; 2 cores do both")


def test_ranks_of_a_cpu_share_its_cores_with_their_workers() -> None:
    # 32 images of 10 ms in each of 2 ranks: 320 ms of reading while both need 80 + 640 / 8 ms.
    rank = columns(0.32, 0.08, 0.01, images=32)
    assert cpu(rank, rank, workers=0, cores=8).change == "raise --workers from 0 to 4"


def test_busy_cores_that_feed_a_gpu_cannot_read_faster() -> None:
    busy = host(cpu=0.97, tree_cpu=15.0)
    said = gpu(on_device(0.06, 0.02, 0.0031), workers=8, cores=16, node=busy)
    assert said.finding.endswith("; 16 cores cannot read faster")
    assert said.change.startswith("shrink the image files")


def test_readers_that_wait_for_a_disk_do_not_need_cores() -> None:
    idle = host(cpu=0.1, tree_cpu=0.2)
    said = cpu(columns(0.3, 0.02, 0.02), workers=2, node=idle)
    assert said.change == "copy the images to a faster disk"
    assert said.finding.endswith("; the cores are idle while images come from a disk")


def test_readers_that_wait_need_no_share_of_the_cores_that_train() -> None:
    # Eight images of 20 ms on one worker, while a step computes 40 ms: it takes 4, and 5 to spare.
    idle = host(cpu=0.2, tree_cpu=0.4)
    said = cpu(columns(0.12, 0.04, 0.02, images=8), workers=1, cores=8, node=idle)
    assert said.change == "raise --workers from 1 to 5"


def test_enough_workers_on_average_and_yet_late() -> None:
    slow = on_device(0.02, 0.05, 0.001)
    said = gpu(slow, workers=2, cores=16)
    assert said.finding == (
        "29 % of the time went to waiting for images, though 2 workers make 2,000 images/s at "
        "1.0 ms each and the step takes 1,280 images/s"
    )
    assert said.change == "raise --workers from 2 to 3"


def test_enough_workers_and_a_disk_that_is_read() -> None:
    reading = host(cpu=0.3, tree_cpu=3.0, tree_read=210e6)
    said = gpu(on_device(0.02, 0.05, 0.001), workers=2, cores=16, node=reading)
    assert said.change == "copy the images to a faster disk"
    assert ("read from disk", "200 MiB/s") in said.evidence


def test_a_slow_first_batch_of_a_long_epoch_is_nothing() -> None:
    wait = [0.0] * 40 + [2.0] + [0.0] * 59
    told = ready(epochs=3, steps_per_epoch=40 * 10, batch_size=64, workers=2)
    rows: dict[str, Any] = {**columns(0.0, 0.1, 0.001), "wait_seconds": wait}
    rows["step_seconds"] = [0.1 + each for each in wait]
    # The epoch before it ended with step 400: the 40 s of an epoch lose 2.
    said = verdict(plan(), [[told, steps(rows, 100, first=360)]])
    assert said.kind == "fine"
    assert ("waiting for data", "5 %") in said.evidence


def test_first_batches_that_are_slow_in_every_short_epoch() -> None:
    wait = ([1.0] + [0.0] * 9) * 10
    told = ready(epochs=10, steps_per_epoch=10, batch_size=64, workers=2)
    rows: dict[str, Any] = {**columns(0.0, 0.1, 0.0005), "wait_seconds": wait}
    rows["step_seconds"] = [0.1 + each for each in wait]
    said = verdict(plan(), [[told, steps(rows, 100)]])
    assert said.kind == "data"
    assert said.finding == (
        "50 % of the time went to waiting for images: the first batch of an epoch is 1.0 s late"
    )


def test_decoding_that_was_not_timed_is_not_made_up() -> None:
    rows = columns(0.2, 0.2, 0.0)
    del rows["decode_seconds"]
    said = cpu(rows, workers=1, cores=8)
    assert said.finding == "50 % of the time went to waiting for images"
    assert said.change == "raise --workers from 1 to 2"
    assert "decode" not in dict(said.evidence)


def test_a_pipeline_loads_in_its_first_stage_for_all() -> None:
    loads = {**columns(0.1, 0.1, 0.003), "images": 0.0, "pipeline_seconds": 0.1}
    meets = {**columns(0.0, 0.1, 0.0), "agree_seconds": 0.1, "step_seconds": 0.2}
    told = ready(epochs=1, steps_per_epoch=1000, batch_size=64, workers=0)
    run = plan("pipeline", stages=2, workers=0)
    ranks = [[told, steps(each, 100)] for each in (loads, meets)]
    said = verdict(run, ranks, cores=8)
    assert said.kind == "data"
    assert "64 of them at 3.0 ms each" in said.finding
