"""What is wrong with the machine: GPUs that slow down, other jobs, memory, /dev/shm."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from msgspec import structs

from engine.journal.events import Event, GpuReading
from engine.report.diagnose import Surroundings, diagnose
from engine.report.verdict import Verdict
from tests.report.situations import GPUS, folded, gpu_ready, gpus, host, plan, steps, verdict
from tests.report.views import memory, ready

GIB = 2**30
STEPS = {
    "images": 64,
    "step_seconds": 0.1,
    "wait_seconds": 0.0,
    "starved_seconds": 0.0,
    "launch_seconds": 0.03,
    "forward_seconds": 0.03,
    "backward_seconds": 0.06,
    "lag_seconds": 0.07,
}
COOL = GpuReading(
    utilization=0.98,
    memory_used=20 * GIB,
    memory_ours=20 * GIB,
    temperature=61.0,
    power=540.0,
    sm_clock=1980.0,
)
HOT = structs.replace(COOL, temperature=91.0, sm_clock=1_185.0, throttled=("heat",))


def on_gpus(
    *readings: GpuReading, uuids: Sequence[str] = ("GPU-0",), more: Sequence[Event] = ()
) -> Verdict:
    """A training on the GPUs ``uuids`` of a node whose GPUs read so."""
    told = gpu_ready(uuids=tuple(uuids))
    return verdict(
        plan(machine=GPUS), [[told, steps(STEPS, 100), *more]], gpus(*readings), cores=16
    )


def on_cpu(node: Sequence[Event], *, cores: int = 2, **settings: Any) -> Verdict:
    told = ready(epochs=1, steps_per_epoch=1000, batch_size=64, workers=settings.get("workers", 0))
    rows = {name: STEPS[name] for name in ("images", "step_seconds", "wait_seconds")}
    rows |= {"forward_seconds": 0.03, "backward_seconds": 0.06}
    return verdict(plan(**settings), [[told, steps(rows, 100)]], node, cores=cores)


def test_a_cool_gpu_of_our_own_is_fine() -> None:
    said = on_gpus(COOL)
    assert said.kind == "fine"
    assert said.finding.startswith("the device computes 90 % of the time, and reaches ")


def test_heat_says_clock_and_temperature() -> None:
    said = on_gpus(HOT)
    assert (said.kind, said.title) == ("throttled", "GPU slowed down")
    assert said.finding == "GPU 0 slows down: it is too hot, at 1,185 MHz and 91 °C"
    assert said.change == "check the cooling of GPU 0"
    assert said.evidence == (
        ("GPU 0 clock", "1,185 MHz"),
        ("GPU 0 temperature", "91 °C"),
        ("GPU 0 power", "540 W"),
    )


@pytest.mark.parametrize(
    ("reason", "kind", "change"),
    [
        ("power brake", "throttled", "check the power supply of GPU 0"),
        ("slowdown", "throttled", "check the cooling and power supply of GPU 0"),
        # What a GPU does that is as busy as it may be.
        ("power cap", "fine", ""),
    ],
)
def test_other_reasons(reason: str, kind: str, change: str) -> None:
    said = on_gpus(structs.replace(COOL, throttled=(reason,)))
    assert (said.kind, said.change) == (kind, change)


def test_gpus_are_matched_by_uuid_and_others_do_not_count() -> None:
    assert on_gpus(HOT, COOL, uuids=["GPU-1"]).kind == "fine"
    assert on_gpus(COOL, HOT, uuids=["GPU-1"]).finding.startswith("GPU 1 slows down")
    assert on_gpus(COOL, HOT, uuids=["1"]).finding.startswith("GPU 1 slows down"), (
        "torch's spelling"
    )
    assert on_gpus(HOT, uuids=["GPU-of-another-node"]).kind == "fine"
    assert on_gpus(HOT, uuids=[]).kind == "fine"


def test_a_moment_of_heat_is_not_most_of_the_time() -> None:
    told = gpu_ready(uuids=("GPU-0",))
    node = [*gpus(HOT, seconds=4), *gpus(COOL, seconds=10)[1:]]
    assert verdict(plan(machine=GPUS), [[told, steps(STEPS, 100)]], node).kind == "fine"


def test_what_was_sampled_long_before_or_after_does_not_count() -> None:
    told = gpu_ready(uuids=("GPU-0",))
    found, *samples = gpus(HOT)
    for after in (-120.0, 120.0):
        node = [found, *(structs.replace(each, t=each.t + after) for each in samples)]
        said = verdict(plan(machine=GPUS), [[told, steps(STEPS, 100)]], node, ended=True)
        assert said.kind == "fine"
    # Its 100 steps take 10 s; a validation may lie between them.
    late = [found, *(structs.replace(each, t=each.t - 40) for each in samples)]
    assert verdict(plan(machine=GPUS), [[told, steps(STEPS, 100)]], late).kind == "throttled"


def test_another_job_on_the_gpu() -> None:
    theirs = structs.replace(COOL, memory_used=32 * GIB)
    said = on_gpus(theirs)
    assert (said.kind, said.title) == ("shared", "another job on the GPU")
    assert said.finding.startswith("others hold 12.0 GiB of GPU 0")
    assert said.change == "wait until it has ended"
    assert on_gpus(theirs, COOL).change == "train on another GPU (--gpus)"
    worse = structs.replace(COOL, memory_used=60 * GIB)
    both = on_gpus(theirs, worse, uuids=["GPU-0", "GPU-1"])
    assert both.finding.startswith("others hold 40.0 GiB of GPU 1")


@pytest.mark.parametrize("ours", [None, 20 * GIB - 2**29])
def test_who_holds_memory_is_unknown_or_what_a_driver_keeps(ours: int | None) -> None:
    assert on_gpus(structs.replace(COOL, memory_ours=ours)).kind == "fine"


def test_another_job_on_the_cores_that_train() -> None:
    said = on_cpu(host(cpu=0.99, tree_cpu=1.1))
    assert (said.kind, said.title) == ("shared", "another job on this machine")
    assert said.finding == "others keep 0.9 of 2 cores busy, this training 1.1"


def test_nobody_waits_for_the_other_job_where_the_run_is_over() -> None:
    rows = [gpu_ready(uuids=("GPU-0",)), steps(STEPS, 100)]
    shared = gpus(structs.replace(COOL, memory_ours=10 * GIB))
    made = plan(machine=GPUS)
    assert verdict(made, [rows], shared).change == "wait until it has ended"
    over = verdict(made, [rows], shared, ended=True)
    assert (over.kind, over.change) == ("shared", "train once more when nothing else runs")
    # One whose supervisor was killed never said so.
    view = folded(made, [rows], shared)
    told = diagnose(view.runs[0], made, Surroundings(view.host, view.gpus, alive=False))
    assert told.change == over.change


@pytest.mark.parametrize(
    "sample",
    [
        {"cpu": 0.99, "tree_cpu": 1.9},  # ours
        {"cpu": 0.70, "tree_cpu": 0.5},  # there are cores left
        {"cpu": 0.99, "tree_cpu": None},  # nobody can tell
    ],
)
def test_busy_cores_that_are_ours_or_free(sample: dict[str, Any]) -> None:
    assert on_cpu(host(**sample)).kind == "fine"


def test_a_container_that_may_use_a_core_and_a_half_has_no_other_job_in_the_other_half() -> None:
    assert on_cpu(host(cpu=0.99, tree_cpu=1.45, allowed=1.5)).kind == "fine"
    said = on_cpu(host(cpu=1.0, tree_cpu=0.7, allowed=1.5))
    assert said.finding == "others keep 0.8 of 1.5 cores busy, this training 0.7"


def test_a_core_of_many_is_not_another_job() -> None:
    assert on_cpu(host(cpu=0.95, tree_cpu=6.5), cores=8).kind == "fine"
    assert on_cpu(host(cpu=0.95, tree_cpu=5.5), cores=8).kind == "shared"


def test_cores_that_only_feed_a_gpu_may_be_shared() -> None:
    told = gpu_ready()
    node = host(cpu=0.99, tree_cpu=1.0)
    assert verdict(plan(machine=GPUS), [[told, steps(STEPS, 100)]], node, cores=16).kind == "fine"


def test_another_job_on_cores_that_feed_a_gpu_too_slowly() -> None:
    late = {**STEPS, "starved_seconds": 0.03, "forward_seconds": 0.0}
    rows = [gpu_ready(workers=8), steps(late, 100)]
    run = plan(machine=GPUS)
    assert verdict(run, [rows], host(cpu=0.99, tree_cpu=8.0), cores=16).kind == "shared"
    assert verdict(run, [rows], host(cpu=0.99, tree_cpu=15.0), cores=16).kind == "data"


def asked(**sizes: int) -> list[Event]:
    """A rank's memory before its first step and now."""
    first = memory(allocated=GIB, reserved=2 * GIB, retries=1)
    return [first, memory(**{"allocated": 130 * GIB, "reserved": 134 * GIB, **sizes})]


def test_memory_that_was_asked_for_in_vain_in_steps() -> None:
    said = on_gpus(COOL, more=asked(retries=4))
    assert (said.kind, said.title) == ("memory", "memory too short")
    assert said.finding.startswith("rank 0 found its GPU full 3 times")
    assert said.change == "train with gradient-checkpointing instead of single"
    assert ("the GPU has", "141.0 GiB") in said.evidence


def test_the_rank_that_asked_most_often_is_named() -> None:
    rows = [[gpu_ready(), steps(STEPS, 100), memory(retries=each)] for each in (2, 7)]
    for first, row in zip((0, 1), rows, strict=True):
        row.insert(1, memory(retries=first))
    said = verdict(plan("ddp", GPUS, nproc=2), rows)
    assert said.finding.startswith("rank 1 found its GPU full 6 times")


def test_what_warming_up_asked_for_in_vain_costs_no_step() -> None:
    assert on_gpus(COOL, more=asked(retries=1, reserved=100 * GIB)).kind == "fine"


def test_a_gpu_that_was_full_once_in_hundreds_of_steps_is_not_too_short() -> None:
    told = [gpu_ready(uuids=("GPU-0",)), *asked(retries=2, reserved=100 * GIB)]
    rows = [told[0], told[1], steps(STEPS, 400), told[2]]
    assert verdict(plan(machine=GPUS), [rows], gpus(COOL), cores=16).kind == "fine"


def test_a_gpu_that_is_nearly_full() -> None:
    said = on_gpus(COOL, more=asked(retries=1, reserved=140 * GIB))
    assert (said.kind, said.title) == ("memory", "memory nearly full")
    assert said.finding == "torch keeps 140.0 GiB of the 141.0 GiB of GPU 0, 99 %"


@pytest.mark.parametrize(
    ("name", "settings", "change"),
    [
        ("single", {}, "train with gradient-checkpointing instead of single"),
        ("ddp", {}, "add --gradient-checkpointing"),
        ("amp", {}, "add --gradient-checkpointing"),
        ("amp", {"compile": True}, "raise --accumulate from 1 to 2"),
        ("gradient-checkpointing", {"accumulate": 2}, "raise --accumulate from 2 to 4"),
        ("gpipe", {"recompute": "never"}, "give --recompute always instead of never"),
    ],
)
def test_what_saves_memory_and_is_not_done_already(
    name: str, settings: dict[str, Any], change: str
) -> None:
    rows = [gpu_ready(uuids=("GPU-0",)), steps(STEPS, 100), *asked(retries=9)]
    assert verdict(plan(name, GPUS, **settings), [rows], gpus(COOL)).change == change


def test_a_machine_that_this_training_fills() -> None:
    full = host(memory_used=34 * GIB, memory_total=32 * GIB, tree_pss=30 * GIB)
    said = on_cpu(full, workers=4)
    assert said.kind == "memory"
    assert said.finding.startswith("this training takes 30.0 GiB of the 32.0 GiB of this machine")
    assert said.change == "lower --workers from 4 to 2"
    # Files that the system caches are no reason.
    cached = host(memory_used=31 * GIB, memory_total=32 * GIB, tree_pss=4 * GIB)
    assert on_cpu(cached, workers=4).kind == "fine"


def test_shared_memory_that_what_workers_read_ahead_does_not_fit() -> None:
    # 64 images of 224 x 224 x 3 bytes are 9.2 MiB, and 4 workers read 8 such batches ahead.
    small = host(shm_total=64 * 2**20, shm_free=40 * 2**20)
    said = on_cpu(small, workers=4, cores=8)
    assert (said.kind, said.title) == ("shm", "/dev/shm too small")
    assert said.finding == (
        "/dev/shm has 64 MiB, and 4 workers keep up to 8 batches of 9 MiB in it: 74 MiB"
    )
    assert said.change == "enlarge /dev/shm, of a container with --shm-size 256m"
    assert on_cpu(small, workers=2, cores=8).kind == "fine"
    assert on_cpu(small, workers=0, cores=8).kind == "fine"


def test_shared_memory_that_others_fill() -> None:
    said = on_cpu(host(shm_total=256 * 2**20, shm_free=2**20), workers=2, cores=8)
    assert said.kind == "shm"
    assert (
        said.finding == "/dev/shm is full: 1 MiB of its 256 MiB are free, and a batch takes 9 MiB"
    )
    assert said.change == "enlarge /dev/shm, of a container with --shm-size 512m"


def test_what_makes_other_figures_meaningless_comes_first() -> None:
    hot_and_shared = structs.replace(HOT, memory_used=40 * GIB)
    assert on_gpus(hot_and_shared, more=asked(retries=9)).kind == "throttled"
    shared = structs.replace(COOL, memory_used=40 * GIB)
    assert on_gpus(shared, more=asked(retries=9)).kind == "shared"
