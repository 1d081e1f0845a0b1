"""Experiments whose time, memory and GPUs are known to the millisecond, the byte and the watt."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from msgspec import structs

from engine.experiment import Experiment
from engine.journal import events, layout
from engine.journal.files import Appender
from engine.journal.machine_view import GpusView
from tests.journal.writing import RankWriter, Shape, steps_of, write_experiment

GIB = 2**30
STEP = 0.1
STEPS = 100
PARTS = {
    "wait": 0.042,
    "agree": 0.0,
    "launch": 0.050,
    "other": 0.008,
    "starved": 0.040,
    "copy": 0.002,
    "forward": 0.020,
    "backward": 0.030,
    "update": 0.004,
}
"""Seconds of each step; 4 ms of the device are left."""


def uuid(place: int) -> str:
    return f"GPU-{place:08x}-0000-4000-8000-00000000ABCD"


def facts(place: int, **more: Any) -> events.GpuFacts:
    known: dict[str, Any] = {
        "index": place,
        "uuid": uuid(place),
        "name": "NVIDIA H100 80GB HBM3",
        "memory_total": 80 * GIB,
        "power_limit": 700.0,
    }
    return events.GpuFacts(**{**known, **more})


def reading(place: int = 0, **more: Any) -> events.GpuReading:
    known: dict[str, Any] = {
        "utilization": 0.5 + 0.05 * place,
        "memory_used": (40 + place) * GIB,
        "memory_ours": 30 * GIB,
        "temperature": 60.0 + place,
        "power": 400.0 + place,
        "sm_clock": 1980.0,
    }
    return events.GpuReading(**{**known, **more})


def gpus(count: int, said: Mapping[int, events.GpuReading] | None = None) -> GpusView:
    """So many GPUs at work for 30 s; ``said`` is what some of them say instead."""
    readings = tuple((said or {}).get(place, reading(place)) for place in range(count))
    samples = tuple(events.GpuSample(t=float(t), readings=readings) for t in range(30))
    found = tuple(facts(place) for place in range(count))
    return GpusView(found=found, samples=samples, driver="570.1")


def host(seconds: int = 30, **more: Any) -> tuple[events.HostSample, ...]:
    known: dict[str, Any] = {
        "cpu": 0.6,
        "memory_used": 6 * GIB,
        "memory_total": 16 * GIB,
        "tree_cpu": 1.2,
        "tree_rss": 3 * GIB,
        "disk_free": 100 * GIB,
    }
    return tuple(events.HostSample(t=float(t), **{**known, **more}) for t in range(seconds))


def write_measured(
    parent: Path,
    *,
    view: GpusView | None = None,
    ranks: int = 1,
    slower: float = 0.0,
    state: events.EndState | None = "done",
    wait: float = PARTS["wait"],
) -> Experiment:
    """A run on GPUs with the step of ``PARTS``; rank ``n`` waits ``n * slower`` s longer."""
    strategy = "ddp" if ranks > 1 else "single"
    made = write_experiment(
        parent, Path("/data/ants"), strategies=(strategy,), shape=Shape(ranks=ranks), state=state
    )
    (run,) = made.plan.runs
    shutil.rmtree(made.directory / run.run / "attempt-1", ignore_errors=True)
    for rank in range(ranks):
        _write_rank(made, run.run, rank, ranks, wait + rank * slower, state)
    _write_gpus(made, view or GpusView())
    return made


def _write_rank(
    made: Experiment, run: str, rank: int, ranks: int, wait: float, state: events.EndState | None
) -> None:
    writer = RankWriter(made.directory, run, events.now() - 15, rank=rank)
    writer.begin(world_size=ranks)
    ready = Shape(total_steps=STEPS, steps_per_epoch=STEPS // 2, device="cuda").ready(writer.t)
    held = {"weights": 45 * 2**20, "gradients": 44 * 2**20, "optimizer": 44 * 2**20}
    # As torch writes it, and not in the driver's order.
    told = uuid(ranks - 1 - rank).removeprefix("GPU-").lower()
    name = "NVIDIA H100 80GB HBM3"
    writer.ready(structs.replace(ready, uuids=(told,), queue=4, held=held, device_name=name))
    seconds = {**PARTS, "wait": wait, "starved": wait - 0.002}
    whole = STEP + wait - PARTS["wait"]
    for epoch in range(2):
        writer.write(events.EpochStarted(t=writer.t, epoch=epoch, step=writer.step))
        _write_steps(writer, STEPS // 2, seconds, whole)
        _write_epoch(writer, epoch, seconds, whole)
    writer.write(
        events.Memory(
            t=writer.t,
            rss=GIB,
            peak_rss=GIB,
            allocated=GIB,
            reserved=2 * GIB,
            peak_allocated=GIB + 133 * 2**20,
            peak_reserved=2 * GIB,
            retries=3,
            failures=0,
        )
    )
    if state is None:
        writer.close()
    else:
        writer.end(state)


def _write_steps(writer: RankWriter, count: int, seconds: dict[str, float], whole: float) -> None:
    values = {
        "loss": 1.0,
        "top1": 0.5,
        "top5": 0.9,
        "lr": 0.1,
        "images": 32.0,
        "step_seconds": whole,
        **{f"{part}_seconds": value for part, value in seconds.items()},
        "decode_seconds": 0.0031,
        "queued": 1.8,
    }
    columns = {name: np.full(count, value, np.float32) for name, value in values.items()}
    writer.write(steps_of(writer.step, writer.t, columns))
    writer.step += count
    writer.t += count * whole


def _write_epoch(writer: RankWriter, epoch: int, seconds: dict[str, float], whole: float) -> None:
    count = STEPS // 2
    sums = {f"{part}_seconds": value * count for part, value in seconds.items()}
    writer.write(
        events.EpochEnded(
            t=writer.t,
            epoch=epoch,
            step=writer.step,
            images=count * 32,
            loss_sum=1.0,
            top1=1,
            top5=1,
            seconds=whole * count,
            wait_seconds=seconds["wait"] * count,
            sums={"step_seconds": whole * count, **sums},
            estimated_seconds=whole * count * 1.1,
        )
    )


def _write_gpus(made: Experiment, view: GpusView) -> None:
    appender = Appender(layout.node_journal(made.directory, 0))
    appender.append(
        events.GpusFound(t=events.now(), gpus=view.found, problem=view.problem, driver=view.driver)
    )
    for sample in view.samples:
        appender.append(structs.replace(sample, t=events.now() - 15 + sample.t))
    appender.close()


def supervisor_says(made: Experiment, code: str, text: str) -> None:
    """A warning that is not of a run."""
    appender = Appender(made.directory / layout.SUPERVISOR_JOURNAL)
    appender.append(events.Notice(t=events.now(), level="warning", code=code, text=text))
    appender.close()
