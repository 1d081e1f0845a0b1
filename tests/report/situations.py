"""Runs with an injected fault, folded from the events that real ranks and samplers write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from msgspec import structs

from engine.journal.events import (
    AttemptStarted,
    Event,
    GpuFacts,
    GpuReading,
    GpuSample,
    GpusFound,
    HostSample,
    NodeStarted,
    Ready,
    RunEnded,
    RunQueued,
    RunStarted,
    Steps,
    SupervisorStarted,
)
from engine.journal.fold import ExperimentFold
from engine.journal.views import ExperimentView
from engine.plan.config import Settings
from engine.plan.machine import Device, Machine
from engine.plan.runs import RunPlan, plan_runs
from engine.plan.strategies import strategy
from engine.report.diagnose import Surroundings, diagnose
from engine.report.verdict import Kind, Verdict
from tests.report.views import NOW, WRITER, ready

GPUS = Machine(
    torch="2.15",
    cores=16,
    devices=tuple(Device(kind="cuda", index=each, name="GPU") for each in range(8)),
)
CPU = Machine(torch="2.15", cores=2)

Columns = Mapping[str, Any]
"""Values of the columns of a rank's steps; one number stands for all steps."""


def plan(name: str = "single", machine: Machine = CPU, **settings: Any) -> RunPlan:
    """The plan of a run, as an experiment makes it."""
    settings.setdefault("device", "cuda" if machine is GPUS else "cpu")
    (run,) = plan_runs(Path("/photographs"), Settings(**settings), (strategy(name),), machine)
    return run


def gpu_ready(**more: Any) -> Ready:
    told = {"device": "cuda:0", "device_name": "NVIDIA H200", "precision": "bf16", "threads": 8}
    return ready(epochs=1, steps_per_epoch=10_000, **{**told, **more})


def steps(columns: Columns, count: int, first: int = 0) -> Steps:
    """Consecutive steps from ``NOW`` on."""
    rows = {
        name: np.broadcast_to(np.asarray(values, "<f4"), (count,))
        for name, values in columns.items()
    }
    return Steps(
        t=NOW,
        first=first,
        count=count,
        since=NOW,
        names=tuple(rows),
        columns=tuple(values.astype("<f4").tobytes() for values in rows.values()),
    )


def folded(
    run: RunPlan,
    ranks: Sequence[Sequence[Event]],
    node: Sequence[Event] = (),
    *,
    cores: int = 2,
    ended: bool = False,
) -> ExperimentView:
    """An experiment of one run, whose ranks and whose node's sampler told these events."""
    fold = ExperimentFold()
    fold.apply_supervisor(SupervisorStarted(t=NOW, **WRITER))  # type: ignore[arg-type]
    fold.apply_supervisor(RunQueued(t=NOW, run=run.run, strategy=run.strategy.name, seed=0))
    fold.apply_supervisor(RunStarted(t=NOW, run=run.run, attempt=1, argv=("x",), pid=1))
    started = NodeStarted(t=NOW, node=0, cores=cores, memory_total=2**34, **WRITER)  # type: ignore[arg-type]
    for event in (started, *node):
        fold.apply_node(0, event)  # type: ignore[arg-type]
    for rank, told in enumerate(ranks):
        begun = AttemptStarted(t=NOW, rank=rank, world_size=len(ranks), **WRITER)  # type: ignore[arg-type]
        for event in (begun, *told):
            fold.apply_rank(run.run, 1, rank, event)  # type: ignore[arg-type]
    if ended:
        fold.apply_supervisor(RunEnded(t=NOW + 600, run=run.run, attempt=1, state="done"))
    return fold.freeze()


def verdict(
    run: RunPlan,
    ranks: Sequence[Sequence[Event]],
    node: Sequence[Event] = (),
    *,
    cores: int = 2,
    ended: bool = False,
    before: Kind | None = None,
) -> Verdict:
    """What is said of such a run, of which ``before`` was said last."""
    view = folded(run, ranks, node, cores=cores, ended=ended)
    (told,) = view.runs
    return diagnose(told, run, Surroundings(view.host, view.gpus, view.cores), before)


def host(seconds: int = 60, **fields: Any) -> list[HostSample]:
    """A sample a second."""
    sample = HostSample(t=NOW, cpu=0.5, memory_used=2**33, memory_total=2**35)
    return [structs.replace(sample, t=NOW + each, **fields) for each in range(seconds)]


def gpus(*readings: GpuReading, seconds: int = 60) -> list[Event]:
    """GPUs ``GPU-0``, ``GPU-1``, ... that read the same for so many seconds."""
    facts = tuple(
        GpuFacts(index=each, uuid=f"GPU-{each}", name="NVIDIA H200", memory_total=141 * 2**30)
        for each in range(len(readings))
    )
    samples = [GpuSample(t=NOW + each, readings=readings) for each in range(seconds)]
    return [GpusFound(t=NOW, gpus=facts), *samples]
