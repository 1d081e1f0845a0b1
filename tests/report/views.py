"""Views of runs with known numbers, folded from events as real ones are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from msgspec import structs

from engine.journal.events import (
    AttemptStarted,
    EpochEnded,
    EpochStarted,
    Event,
    Memory,
    Phase,
    Ready,
    RunEnded,
    RunQueued,
    RunStarted,
    Steps,
    SupervisorStarted,
    Validated,
)
from engine.journal.fold import ExperimentFold
from engine.journal.views import ExperimentView, RunView

RUN = "01-single"
NOW = 1_000_000.0
WRITER = {"journal": "j", "host": "h", "pid": 1, "boot": "b"}


def folded(
    rank: Sequence[Event],
    *,
    queued_only: bool = False,
    ended: RunEnded | None = None,
    strategy: str = "single",
) -> ExperimentView:
    """An experiment of one run whose only rank wrote these events."""
    fold = ExperimentFold()
    fold.apply_supervisor(SupervisorStarted(t=NOW, **WRITER))  # type: ignore[arg-type]
    fold.apply_supervisor(RunQueued(t=NOW, run=RUN, strategy=strategy, seed=0))
    if not queued_only:
        fold.apply_supervisor(RunStarted(t=NOW, run=RUN, attempt=1, argv=("x",), pid=1))
    for event in (AttemptStarted(t=NOW, rank=0, world_size=1, **WRITER), *rank):  # type: ignore[arg-type]
        if not queued_only:
            fold.apply_rank(RUN, 1, 0, event)  # type: ignore[arg-type]
    if ended is not None:
        fold.apply_supervisor(ended)
    return fold.freeze()


def run_of(view: ExperimentView) -> RunView:
    (run,) = view.runs
    return run


def ready(
    *, epochs: int, steps_per_epoch: int, batch_size: int = 8, classes: str = "ab", **more: Any
) -> Ready:
    made = Ready(
        t=NOW,
        model="resnet18",
        parameters=1,
        classes=tuple(classes),
        train_images=batch_size * steps_per_epoch,
        val_images=100,
        epochs=epochs,
        steps_per_epoch=steps_per_epoch,
        total_steps=epochs * steps_per_epoch,
        batch_size=batch_size,
        device="cpu",
        device_name="a processor",
        precision="fp32",
        workers=0,
        threads=1,
    )
    return structs.replace(made, **more)


def steps(
    first: int, seconds: Sequence[float], waits: Sequence[float], images: Sequence[float]
) -> Steps:
    columns = {"images": images, "step_seconds": seconds, "wait_seconds": waits}
    return Steps(
        t=NOW + first,
        first=first,
        count=len(seconds),
        since=NOW + first,
        names=tuple(columns),
        columns=tuple(np.asarray(column, "<f4").tobytes() for column in columns.values()),
    )


def begun(epoch: int, step: int) -> EpochStarted:
    return EpochStarted(t=NOW + step, epoch=epoch, step=step)


def trained(
    epoch: int, step: int, images: int, loss_sum: float | None, seconds: float, waits: float
) -> EpochEnded:
    return EpochEnded(
        t=NOW + step,
        epoch=epoch,
        step=step,
        images=images,
        loss_sum=loss_sum,
        top1=images // 2,
        top5=images,
        seconds=seconds,
        wait_seconds=waits,
    )


def validated(epoch: int, step: int, top1: int, loss_sum: float, seconds: float = 1.0) -> Validated:
    return Validated(
        t=NOW + step,
        epoch=epoch,
        step=step,
        images=100,
        loss_sum=loss_sum,
        top1=top1,
        top5=99,
        seconds=seconds,
    )


def memory(**sizes: int) -> Memory:
    return Memory(t=NOW, **{"rss": 10, "peak_rss": 20, **sizes})


def phase(name: str, after: float) -> Phase:
    return Phase(t=NOW + after, name=name)
