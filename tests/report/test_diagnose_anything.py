"""Whatever ranks and samplers tell or leave out, there is a verdict in numbers and words."""

from __future__ import annotations

import math
import re
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.journal.events import (
    EpochEnded,
    EpochEstimated,
    Event,
    GpuReading,
    HostSample,
    Memory,
    PipelinePlanned,
    StagesMeasured,
)
from engine.journal.step_columns import DEVICE_PARTS, HOST_PARTS, column
from engine.plan.runs import RunPlan
from engine.report.diagnose import Surroundings, diagnose
from engine.report.epochs import epoch_times
from engine.report.stall import stall
from tests.report.situations import CPU, GPUS, folded, gpu_ready, gpus, plan, steps
from tests.report.views import NOW, ready

PLANS: tuple[RunPlan, ...] = (
    plan(workers=2),
    plan("amp", GPUS),
    plan("ddp", CPU, nproc=2),
    plan("ddp", GPUS, nproc=2),
    plan("gpipe", CPU, stages=2),
    plan("pipeline", GPUS, stages=2),
)
COUNT = 7
COLUMNS = (
    "images",
    "queued",
    *(column(each) for each in ("step", "decode", "lag", *HOST_PARTS, *DEVICE_PARTS)),
)
ODD = st.sampled_from([math.nan, math.inf, -math.inf, -1.0, 0.0, 1e-12, 0.001, 0.5, 2.0, 1e30])
REAL = st.one_of(ODD, st.floats(0.0, 1.0))
BYTES = st.sampled_from([None, 0, 1, 2**30, 140 * 2**30, 2**53])
SHARE = st.sampled_from([None, 0.0, 0.3, 0.95, 1.0, 1e9])

MEMORIES: tuple[tuple[dict[str, int], ...], ...] = ((), ({},), ({}, {"allocated": 5}))


@st.composite
def columns(draw: st.DrawFn) -> dict[str, list[float]]:
    """Steps that last some time, mostly, and any other columns."""
    names = draw(st.lists(st.sampled_from(COLUMNS), unique=True, max_size=8))
    found = {name: draw(st.lists(REAL, min_size=COUNT, max_size=COUNT)) for name in names}
    if draw(st.booleans()):
        found["step_seconds"] = [draw(st.floats(0.01, 2.0))] * COUNT
    return found or {"loss": [1.0] * COUNT}


@st.composite
def machine(draw: st.DrawFn) -> list[Event]:
    reading = GpuReading(
        utilization=draw(SHARE),
        memory_used=draw(BYTES),
        memory_ours=draw(BYTES),
        temperature=draw(SHARE),
        power=draw(SHARE),
        sm_clock=draw(SHARE),
        throttled=draw(st.sampled_from([(), ("heat",), ("power cap",), ("something new",)])),
    )
    sample = HostSample(
        t=NOW + 1,
        cpu=draw(SHARE) or 0.0,
        memory_used=draw(BYTES) or 0,
        memory_total=draw(BYTES) or 0,
        tree_cpu=draw(SHARE),
        tree_pss=draw(BYTES),
        shm_free=draw(BYTES),
        shm_total=draw(BYTES),
        tree_read=draw(SHARE),
    )
    return [sample, *gpus(reading, reading, seconds=2)]


def of_rank(draw: st.DrawFn, number: int) -> list[Event]:
    told = draw(
        st.sampled_from(
            [
                (),
                (ready(epochs=2, steps_per_epoch=4, workers=draw(st.integers(0, 300))),),
                (gpu_ready(uuids=(f"GPU-{number}",), queue=draw(st.sampled_from([None, 0, 4]))),),
            ]
        )
    )
    busy = draw(st.sampled_from([0.0, 1e-9, 1.0, 1e30]))
    after: list[Event] = [
        Memory(
            t=NOW, rss=1, peak_rss=1, reserved=draw(BYTES), retries=draw(st.integers(0, 3)), **each
        )
        for each in draw(st.sampled_from(MEMORIES))
    ]
    after.append(StagesMeasured(t=NOW, epoch=0, step=4, stages=(number,), busy=(busy,), seconds=2))
    sums = {column(each): draw(st.floats(0.0, 9.0)) for each in ("step", "wait")}
    after.append(
        EpochEnded(
            t=NOW,
            epoch=0,
            step=4,
            images=draw(st.integers(0, 9)),
            loss_sum=None,
            top1=0,
            top5=0,
            seconds=draw(st.sampled_from([0.0, 3.0])),
            wait_seconds=draw(st.sampled_from([0.0, 4.0])),
            sums=draw(st.sampled_from([{}, sums])),
            estimated_seconds=draw(st.sampled_from([None, 0.0, 5.0])),
        )
    )
    after.append(EpochEstimated(t=NOW, epoch=1, seconds=2.0, steps=1))
    return [*told, steps(draw(columns()), COUNT), *after]


@st.composite
def situations(draw: st.DrawFn) -> tuple[RunPlan, list[list[Event]], list[Event], dict[str, Any]]:
    chosen = draw(st.sampled_from(PLANS))
    ranks = [of_rank(draw, number) for number in range(chosen.ranks)]
    if chosen.settings.stages:
        planned = PipelinePlanned(
            t=NOW,
            schedule="gpipe",
            micro_batches=draw(st.integers(1, 20)),
            balance=(draw(st.integers(1, 9)), 3),
            layers=(),
            overlaps=draw(st.booleans()),
            given=draw(st.booleans()),
        )
        ranks[0].insert(0, planned)
    more = {"cores": draw(st.sampled_from([0, 1, 2, 64])), "ended": draw(st.booleans())}
    return chosen, ranks, draw(st.one_of(st.just([]), machine())), more


@settings(max_examples=150, deadline=None)
@given(situations())
def test_there_is_a_verdict_and_its_numbers_are_numbers(situation: Any) -> None:
    chosen, ranks, node, more = situation
    view = folded(chosen, ranks, node, **more)
    (run,) = view.runs
    cores = view.cores if more["cores"] else None
    said = diagnose(run, chosen, Surroundings(view.host, view.gpus, cores))

    assert said.title
    assert said.finding
    told = " ".join([said.title, said.finding, said.change, *sum(said.evidence, ())])
    assert not re.search(r"\b(nan|inf|none)\b", told, re.IGNORECASE), told
    assert said.change or said.kind in ("fine", "measuring")

    found = stall(run)
    if found is not None:
        for epoch in (*found.finished, *([found.now] if found.now else [])):
            assert 0.0 <= epoch.median <= epoch.worst <= 1.0
    for row in epoch_times(run):
        assert row.error is None or math.isfinite(row.error)
