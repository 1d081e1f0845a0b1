"""Writes experiments as real ones are written: through the events, the layout and the appender.

The numbers are made by formulas (a loss that falls, accuracies that rise), so that a test knows
what to expect; everything else is what a real run leaves behind.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from msgspec import structs
from numpy.typing import NDArray

from engine import experiment
from engine.experiment import Experiment
from engine.journal import events, layout
from engine.journal.events import STEP_METRICS, EndState, Event, Steps
from engine.journal.files import Appender, writer_fields
from engine.plan.config import Settings
from engine.plan.strategies import strategy

STEP_SECONDS = 0.05
BATCH = 32


def loss_at(step: float) -> float:
    """The loss that a written run has at a step."""
    return 0.1 + 2.2 * math.exp(-step / 400)


def columns(first: int, count: int, metrics: tuple[str, ...] = STEP_METRICS) -> NDArray[np.float32]:
    """The values of ``metrics`` for steps on from ``first``, shape (metrics, count)."""
    step = np.arange(first, first + count, dtype=np.float64)
    loss = 0.1 + 2.2 * np.exp(-step / 400)
    known = {
        "loss": loss,
        "top1": 1 - loss / 2.4,
        "top5": 1 - loss / 4.8,
        "lr": 0.05 * np.exp(-step / 5000),
        "images": np.full(count, BATCH),
        "step_seconds": np.full(count, STEP_SECONDS),
        "wait_seconds": STEP_SECONDS * (0.1 + 0.05 * np.sin(step / 7)),
    }
    other = np.cos(step / 11)
    return np.stack([known.get(name, other) for name in metrics]).astype("<f4")


def steps(first: int, count: int, since: float, metrics: tuple[str, ...] = STEP_METRICS) -> Steps:
    """A steps event with the values of ``columns``."""
    values = columns(first, count, metrics)
    return steps_of(first, since, dict(zip(metrics, values, strict=True)))


def steps_of(first: int, since: float, values: dict[str, NDArray[np.float32]]) -> Steps:
    """A steps event with these columns, all of one length."""
    return Steps(
        t=since,
        first=first,
        count=len(next(iter(values.values()))),
        since=since,
        names=tuple(values),
        columns=tuple(np.asarray(column, "<f4").tobytes() for column in values.values()),
    )


class RankWriter:
    """Writes one rank's journal; ``t`` is its clock and ``step`` its next step."""

    def __init__(
        self, directory: Path, run: str, t: float, *, attempt: int = 1, rank: int = 0
    ) -> None:
        self._appender = Appender(layout.rank_journal(directory, run, attempt, rank))
        self.rank = rank
        self.t = t
        self.step = 0

    def write(self, event: Event) -> None:
        self._appender.append(event)

    def begin(self, *, from_step: int = 0, world_size: int = 1) -> None:
        """The first line, and the phases until training can start: two seconds."""
        self.step = from_step
        self.write(
            events.AttemptStarted(
                t=self.t,
                rank=self.rank,
                world_size=world_size,
                from_step=from_step,
                versions={"python": "3.11", "torch": "2.15"},
                **writer_fields(),
            )
        )
        for name, seconds in (("importing torch", 1.2), ("reading images", 0.3), ("model", 0.5)):
            self.write(events.Phase(t=self.t, name=name))
            self.t += seconds

    def ready(self, ready: events.Ready) -> None:
        self.write(ready)

    def steps(
        self, count: int, metrics: tuple[str, ...] = STEP_METRICS, *, has_loss: bool = True
    ) -> None:
        told = steps(self.step, count, self.t, metrics)
        if not has_loss:
            nothing = {"loss": np.nan, "top1": np.nan, "top5": np.nan, "images": 0.0}
            values = columns(self.step, count, metrics)
            for name in nothing.keys() & set(metrics):
                values[metrics.index(name)] = nothing[name]
            told = steps_of(self.step, self.t, dict(zip(metrics, values, strict=True)))
        self.write(told)
        self.step += count
        self.t += count * STEP_SECONDS

    def epoch(self, epoch: int, begun: int, *, has_loss: bool = True) -> None:
        """Everything that follows an epoch's last step: sums, validation, a checkpoint.

        A rank without a loss counts no images.
        """
        count = self.step - begun
        values = columns(begun, count).astype(np.float64)
        images = count * BATCH if has_loss else 0
        loss, top1, top5 = values[:3].mean(axis=1)
        self.write(
            events.EpochEnded(
                t=self.t,
                epoch=epoch,
                step=self.step,
                images=images,
                loss_sum=float(loss * images),
                top1=round(top1 * images),
                top5=round(top5 * images),
                seconds=count * STEP_SECONDS,
                wait_seconds=float(values[-1].sum()),
            )
        )
        self.t += 0.2
        if self.rank == 0:
            self._validated(epoch)
        self.write(events.Memory(t=self.t, rss=900_000_000, peak_rss=1_000_000_000))

    def _validated(self, epoch: int) -> None:
        """The first rank speaks for all."""
        self.write(
            events.Validated(
                t=self.t,
                epoch=epoch,
                step=self.step,
                images=100,
                loss_sum=110 * loss_at(self.step),
                top1=round(95 * (1 - loss_at(self.step) / 2.4)),
                top5=round(99 * (1 - loss_at(self.step) / 4.8)),
                seconds=0.2,
            )
        )
        self.write(
            events.CheckpointSaved(
                t=self.t,
                path="checkpoints/last.pt",
                kind="last",
                epoch=epoch,
                step=self.step,
                size=44_000_000,
                seconds=0.05,
            )
        )

    def end(self, state: EndState, reason: str = "", traceback: str = "") -> None:
        self.write(
            events.AttemptEnded(
                t=self.t, state=state, step=self.step, reason=reason, traceback=traceback
            )
        )
        self.close()

    def close(self) -> None:
        self._appender.close()


@dataclass(frozen=True, kw_only=True)
class Shape:
    """How long a written run is, and in what pieces it was told."""

    total_steps: int = 200
    steps_per_epoch: int = 50
    per_event: int = 5
    metrics: tuple[str, ...] = STEP_METRICS
    classes: tuple[str, ...] = ("ants", "bees")
    ranks: int = 1
    pipeline: events.PipelinePlanned | None = None
    """Where it is one: a stage per rank if there are several, else all stages in one process."""
    busy: tuple[float, ...] = ()
    """The share of the time in which each stage computed."""
    device: str = "cpu"
    device_batch: int | None = None
    norm_batch: int | None = None

    @property
    def epochs(self) -> int:
        return max(1, math.ceil(self.total_steps / self.steps_per_epoch))

    @property
    def seconds(self) -> float:
        return 2.0 + self.total_steps * STEP_SECONDS + 0.2 * self.epochs

    def ready(self, t: float) -> events.Ready:
        return events.Ready(
            t=t,
            model="resnet18",
            parameters=11_177_538,
            classes=self.classes,
            train_images=self.steps_per_epoch * BATCH,
            val_images=100,
            epochs=self.epochs,
            steps_per_epoch=self.steps_per_epoch,
            total_steps=self.epochs * self.steps_per_epoch,
            batch_size=BATCH,
            device=self.device,
            device_batch=self.device_batch,
            norm_batch=self.norm_batch,
            device_name="a processor",
            precision="fp32",
            workers=2,
            threads=2,
        )


def write_rank(
    directory: Path,
    run: str,
    t: float,
    shape: Shape,
    *,
    state: EndState | None = "done",
    reason: str = "",
    detail: str = "",
    rank: int = 0,
) -> None:
    """The whole journal of a rank. A run without a ``state`` has no closing event."""
    writer = RankWriter(directory, run, t, rank=rank)
    writer.begin(world_size=shape.ranks)
    writer.ready(shape.ready(writer.t))
    # Of a pipeline in several processes only the last has a loss.
    has_loss = shape.pipeline is None or rank == shape.ranks - 1
    if shape.pipeline is not None and rank == 0:
        writer.write(structs.replace(shape.pipeline, t=writer.t))
    for epoch in range(shape.epochs):
        begun, end = writer.step, min(shape.total_steps, (epoch + 1) * shape.steps_per_epoch)
        writer.write(events.EpochStarted(t=writer.t, epoch=epoch, step=begun))
        while writer.step < end:
            count = min(shape.per_event, end - writer.step)
            writer.steps(count, shape.metrics, has_loss=has_loss)
        if end == (epoch + 1) * shape.steps_per_epoch:
            if shape.busy:
                writer.write(_measured(shape, writer, rank, epoch))
            writer.epoch(epoch, begun, has_loss=has_loss)
    if state is None:
        writer.close()
    else:
        writer.end(state, reason, detail)


def _measured(shape: Shape, writer: RankWriter, rank: int, epoch: int) -> events.StagesMeasured:
    """What the stages of a rank did: its own, or all in one process."""
    stages = (rank,) if shape.ranks > 1 else tuple(range(len(shape.busy)))
    seconds = shape.steps_per_epoch * STEP_SECONDS
    return events.StagesMeasured(
        t=writer.t,
        epoch=epoch,
        step=writer.step,
        stages=stages,
        busy=tuple(shape.busy[stage] * seconds for stage in stages),
        seconds=seconds,
    )


def write_node(directory: Path, t: float, seconds: int) -> None:
    """A node's journal: one host sample a second."""
    appender = Appender(layout.node_journal(directory, 0))
    appender.append(
        events.NodeStarted(
            t=t,
            node=0,
            cores=2,
            memory_total=16 * 2**30,
            machine="a machine",
            **writer_fields(),
        )
    )
    for second in range(seconds):
        appender.append(
            events.HostSample(
                t=t + second,
                cpu=0.5 + 0.4 * math.sin(second / 9),
                memory_used=6 * 2**30,
                memory_total=16 * 2**30,
                tree_cpu=1.5,
                tree_rss=2 * 2**30,
                disk_free=100 * 2**30,
            )
        )
    appender.close()


def write_experiment(
    parent: Path,
    dataset: Path,
    *,
    strategies: tuple[str, ...] = ("single",),
    shape: Shape | None = None,
    state: EndState | None = "done",
    started: float | None = None,
    reason: str = "",
    detail: str = "",
) -> Experiment:
    """A complete experiment, one run after the other, each of the given shape.

    ``state`` is how its last run ended, the others are done; ``None`` leaves it running, as one
    that still trains or was killed. ``dataset`` need not exist. It began at ``started`` (Unix;
    by default so that it ends now).
    """
    shape = shape or Shape()
    made = experiment.create(
        parent,
        dataset,
        Settings(model="resnet18", epochs=shape.epochs, batch_size=BATCH, image_size=32),
        strategies=tuple(strategy(name) for name in strategies),
        sources={"model": "flag"},
    )
    whole = shape.seconds * len(strategies)
    t = events.now() - whole if started is None else started
    supervisor = Appender(made.directory / layout.SUPERVISOR_JOURNAL)
    supervisor.append(events.SupervisorStarted(t=t, version="0", **writer_fields()))
    for run in made.plan.runs:
        seed, name = run.settings.seed, run.strategy.name
        supervisor.append(events.RunQueued(t=t, run=run.run, strategy=name, seed=seed))
    write_node(made.directory, t, seconds=min(600, int(whole)))
    for run in made.plan.runs:
        ending: EndState | None = state if run is made.plan.runs[-1] else "done"
        why, what = (reason, detail) if run is made.plan.runs[-1] else ("", "")
        argv = ("python", "-m", "engine.train", "fit", "--run-name", run.run)
        supervisor.append(events.RunStarted(t=t, run=run.run, attempt=1, argv=argv, pid=1))
        for rank in range(shape.ranks):
            write_rank(
                made.directory, run.run, t, shape, state=ending, reason=why, detail=what, rank=rank
            )
        t += shape.seconds
        if ending is not None:
            ended = events.RunEnded(
                t=t, run=run.run, attempt=1, state=ending, reason=why, detail=what
            )
            supervisor.append(ended)
    if state is not None:
        supervisor.append(events.SupervisorEnded(t=t, state=state))
    supervisor.close()
    return made
