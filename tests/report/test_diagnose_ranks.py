"""What ranks, stages and launches do to a step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from msgspec import structs

from engine.journal.events import Event, GpuReading, PipelinePlanned, StagesMeasured
from engine.plan.runs import RunPlan
from engine.report.verdict import Verdict
from tests.report.situations import CPU, GPUS, gpu_ready, gpus, plan, steps, verdict
from tests.report.views import NOW, ready

GIB = 2**30


def rank(work: float, exchange: float = 0.0, images: float = 16, **more: float) -> dict[str, float]:
    """Steps of a rank that computes ``work`` seconds and waits for gradients for the rest."""
    return {
        "images": images,
        "step_seconds": work + exchange,
        "wait_seconds": 0.0,
        "forward_seconds": work / 3,
        "backward_seconds": work * 2 / 3,
        "exchange_seconds": exchange,
        **more,
    }


def of_ranks(
    *ranks: dict[str, float], name: str = "ddp", node: Sequence[Event] = (), **settings: Any
) -> Verdict:
    """On a CPU; on GPUs where the node has some."""
    made = plan(name, GPUS if node else CPU, nproc=len(ranks), **settings)
    told = [
        gpu_ready(uuids=(f"GPU-{number}",)) if node else ready(epochs=1, steps_per_epoch=1000)
        for number in range(len(ranks))
    ]
    rows = [[each, steps(row, 1000)] for each, row in zip(told, ranks, strict=True)]
    return verdict(made, rows, node, cores=16)


def test_a_rank_slowed_by_half_is_named_with_its_work() -> None:
    said = of_ranks(rank(0.10, 0.05), rank(0.10, 0.05), rank(0.15), rank(0.10, 0.05))
    assert (said.kind, said.title) == ("straggler", "rank 2 is slow")
    assert said.finding == (
        "its own work takes 150 ms a step, that of the others 100 ms: 1.50 times as long, and they "
        "wait for it"
    )
    assert said.change == "see what else runs on the cores of rank 2"
    assert dict(said.evidence)["rank 2, own work"] == "150 ms"
    assert dict(said.evidence)["rank 3, own work"] == "100 ms"


@pytest.mark.parametrize(
    "ranks",
    [
        # An image more in its share is no fault of a rank.
        [rank(0.10, 0.05, images=2), rank(0.15, images=3)],
        # One that has fewer takes longer for each, as any small batch does.
        [rank(0.10, 0.02, images=1), rank(0.11, images=2)],
        [rank(0.100, 0.01), rank(0.110)],
        # On a CPU threads of one rank take cores from the other while gradients travel.
        [
            rank(0.14, 0.02, forward_seconds=0.026, backward_seconds=0.113),
            rank(0.095, 0.065, forward_seconds=0.028, backward_seconds=0.067),
        ],
        # Times of clocks.
        [rank(0.0010, 0.001), rank(0.0020)],
    ],
)
def test_ranks_that_differ_for_a_reason_or_by_little(ranks: list[dict[str, float]]) -> None:
    assert of_ranks(*ranks).kind not in ("straggler", "exchange")


def test_stages_of_a_pipeline_are_no_equals() -> None:
    stages = [{"step_seconds": 0.2, "pipeline_seconds": each, "images": 8} for each in (0.2, 0.1)]
    assert of_ranks(*stages, name="pipeline").kind == "fine"


OWN = GpuReading(memory_used=20 * GIB, memory_ours=20 * GIB, sm_clock=1980.0, temperature=60.0)


@pytest.mark.parametrize(
    ("reading", "why", "change"),
    [
        (
            structs.replace(OWN, sm_clock=1200.0),
            "; GPU 1 runs at 1,200 MHz, the others at 1,980",
            "check the cooling and power supply of GPU 1",
        ),
        (OWN, "they wait for it", "leave GPU 1 out (--gpus)"),
    ],
)
def test_a_slow_rank_is_explained_by_its_gpu(reading: GpuReading, why: str, change: str) -> None:
    said = of_ranks(rank(0.1, 0.05), rank(0.15), node=gpus(OWN, reading, seconds=180))
    assert said.kind == "straggler"
    assert said.finding.endswith(why)
    assert said.change == change
    assert ("GPU 1 temperature", "60 °C") in said.evidence


def test_gradients_that_even_the_last_rank_waits_for() -> None:
    said = of_ranks(rank(0.07, 0.03), rank(0.065, 0.035), batch_size=64)
    assert (said.kind, said.title) == ("exchange", "waiting for ranks")
    assert said.finding == (
        "30 % of the time goes to meeting and exchanging gradients between 2 ranks: 30 ms a step, "
        "and 70 ms of computing"
    )
    assert said.change == "raise --batch-size from 64 to 128"
    assert ("rank 1 waits", "35 %") in said.evidence


def test_meeting_before_each_step_is_waiting_for_ranks_as_well() -> None:
    meets = {"peers_seconds": 0.02, "agree_seconds": 0.02}
    said = of_ranks(*[{**rank(0.07, 0.01), **meets, "step_seconds": 0.1}] * 2)
    assert said.kind == "exchange"
    assert said.finding.startswith("30 % of the time")


def test_an_exchange_that_only_one_rank_waits_for_is_the_others_time() -> None:
    assert of_ranks(rank(0.10, 0.03), rank(0.115, 0.015)).kind == "fine"


def launching(lag: float, launch: float, name: str = "amp", **settings: Any) -> Verdict:
    rows = rank(
        0.05,
        launch_seconds=launch,
        other_seconds=0.05 - launch,
        starved_seconds=0.0,
        lag_seconds=lag,
    )
    return verdict(plan(name, GPUS, **settings), [[gpu_ready(), steps(rows, 100)]], cores=16)


def test_a_device_that_is_done_as_soon_as_the_host_waits_for_launches() -> None:
    said = launching(lag=0.001, launch=0.048)
    assert (said.kind, said.change) == ("launches", "add --compile")
    assert said.finding == (
        "the host is busy for 50 ms of a step of 50 ms, 48 ms of them with launching, and the "
        "device is done 1.0 ms later: it waits for its work"
    )


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("amp", {"compile": True}),
        ("amp", {"gradient_checkpointing": True}),
        ("dp", {"nproc": 2}),
    ],
)
def test_what_is_compiled_or_cannot_be_takes_larger_batches(
    name: str, settings: dict[str, Any]
) -> None:
    said = launching(lag=0.001, launch=0.048, name=name, batch_size=64, **settings)
    assert said.change == "raise --batch-size from 64 to 128"


def test_a_host_that_runs_ahead_holds_nothing_up() -> None:
    assert launching(lag=0.04, launch=0.048).kind == "fine"


def test_a_host_that_is_busy_with_something_else_than_launching() -> None:
    said = launching(lag=0.001, launch=0.02, batch_size=64)
    assert (said.kind, said.change) == ("launches", "raise --batch-size from 64 to 128")


def pipelined(
    busy: Sequence[float],
    *,
    micro_batches: int,
    overlaps: bool = True,
    given: bool = False,
    balance: tuple[int, ...] = (),
    **settings: Any,
) -> Verdict:
    """A pipeline whose stages compute for so many seconds of a hundred."""
    stages = len(busy)
    made: RunPlan = plan("pipeline", stages=stages, micro_batches=micro_batches, **settings)
    planned = PipelinePlanned(
        t=NOW,
        schedule="gpipe",
        micro_batches=micro_batches,
        balance=balance or (5,) * stages,
        layers=("layer",) * sum(balance or (5,) * stages),
        overlaps=overlaps,
        given=given,
    )
    rows = {"images": 64, "step_seconds": 0.1, "wait_seconds": 0.0, "pipeline_seconds": 0.1}
    ranks: list[list[Event]] = []
    for stage, each in enumerate(busy):
        told = StagesMeasured(
            t=NOW + 9, epoch=0, step=100, stages=(stage,), busy=(each,), seconds=100.0
        )
        first = [planned] if stage == 0 else []
        ranks.append([ready(epochs=2, steps_per_epoch=100), *first, steps(rows, 100), told])
    return verdict(made, ranks, cores=16)


def test_too_few_micro_batches() -> None:
    # Four stages and four micro-batches idle 3/7 = 43 % by themselves.
    said = pipelined([55, 56, 54, 55], micro_batches=4, batch_size=64)
    assert (said.kind, said.title) == ("bubble", "pipeline bubble")
    assert said.finding == (
        "stages idle 45 % of the time, and 43 % by the schedule of 4 stages and 4 micro-batches"
    )
    assert said.change == "raise --micro-batches from 4 to 8"
    assert ("stage 2 computes", "56 %, 56.0 s") in said.evidence


def test_micro_batches_that_the_batch_does_not_allow() -> None:
    said = pipelined([55, 56, 54, 55], micro_batches=4, batch_size=4)
    assert said.change == "raise --batch-size from 4 to 8"
    said = pipelined([55, 56, 54, 55], micro_batches=4, batch_size=8)
    assert said.change == "raise --micro-batches from 4 to 8"
    # Of 20 images there are no 8 equal pieces, but 10.
    said = pipelined([55, 56, 54, 55], micro_batches=4, batch_size=20)
    assert said.change == "raise --micro-batches from 4 to 10"


def test_a_stage_that_computes_much_longer_gives_a_layer_away() -> None:
    said = pipelined([90, 30], micro_batches=16, balance=(10, 10), batch_size=64)
    assert said.kind == "bubble"
    assert said.finding.endswith("; stage 1 computes longest, 90.0 s an epoch")
    assert said.change == "give --balance 9,11 instead of 10,10"
    chosen = pipelined([90, 30], micro_batches=16, balance=(10, 10), given=True, batch_size=64)
    assert chosen.change == "leave --balance out: layers are measured then, and split evenly"


def test_a_layer_goes_to_the_neighbour_that_has_least_to_do() -> None:
    said = pipelined([60, 90, 30], micro_batches=24, balance=(5, 9, 6), batch_size=48)
    assert said.change == "give --balance 5,8,7 instead of 5,9,6"
    # Stage 2 has one layer only, and nothing to give away.
    said = pipelined([30, 90, 30], micro_batches=24, balance=(5, 1, 6), batch_size=48)
    assert said.change == "raise --batch-size from 48 to 96"
    # With a layer more, its neighbour would be the slowest.
    said = pipelined([60, 90], micro_batches=24, balance=(9, 2), batch_size=48)
    assert "--balance" not in said.change


def test_even_stages_that_idle_far_more_than_their_schedule() -> None:
    said = pipelined([60, 62], micro_batches=16, batch_size=64)
    assert said.finding.endswith("16 micro-batches; pieces are small")
    assert said.change == "raise --batch-size from 64 to 128"


def test_a_bubble_as_it_must_be_is_fine() -> None:
    said = pipelined([82, 80, 81, 80], micro_batches=16, batch_size=64)
    assert said.kind == "fine"
    assert said.finding == "each stage computes 81 % of the time, on average"


def test_stages_that_share_a_device_take_turns_whatever_is_changed() -> None:
    said = pipelined([45, 45], micro_batches=2, overlaps=False, batch_size=64)
    assert said.kind == "fine"
    assert said.finding.endswith("one stage after another: they share it")
