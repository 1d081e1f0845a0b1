"""From a plan to everything that a training consists of, phase by phase."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from engine.journal.events import Notice, Phase
from engine.plan import dataset
from engine.plan.learning_rate import Schedule, schedule
from engine.plan.runs import RunPlan
from engine.train import devices, model
from engine.train.alerts import NotFinite, Readers, Starving
from engine.train.checkpoint import Checkpoints
from engine.train.clocks import clock_for
from engine.train.course import Shard
from engine.train.damage import Damage
from engine.train.data import Stream, automatic_workers
from engine.train.facts import Facts
from engine.train.recorder import Recorder
from engine.train.stop import StopRequest
from engine.train.strategies.base import Feed, Strategy
from engine.train.strategies.choose import make
from engine.train.telemetry import SLOTS, Telemetry
from engine.train.world import World, from_environment


@dataclass(slots=True, kw_only=True)
class Job:
    """What a training consists of."""

    plan: RunPlan
    classes: tuple[str, ...]
    strategy: Strategy
    stream: Stream
    schedule: Schedule
    telemetry: Telemetry
    recorder: Recorder
    checkpoints: Checkpoints
    damage: Damage
    stop: StopRequest
    world: World
    feed: Feed
    stopping: bool = False
    """All ranks have agreed to stop."""
    late: bool = False
    """All ranks have agreed that the time is up."""
    step: int = 0
    """Steps finished: the number of the next one."""
    best: float | None = None
    """The best validation accuracy so far, 0..1."""
    began: float | None = None
    """``time.monotonic`` at the first step."""


@contextmanager
def prepare(plan: RunPlan, run: Path, recorder: Recorder, stop: StopRequest) -> Iterator[Job]:
    """A job that is ready to warm up, its workers included; they end with the block."""
    settings = plan.settings
    world = from_environment()
    used = devices.of_rank(plan, world.local_rank)
    cores = devices.cores()
    threads = max(1, cores // world.local_size)
    devices.configure(used[0], threads, tf32=settings.precision == "tf32")

    recorder.post(Phase(name="reading images"))
    folder = dataset.load(Path(plan.dataset), settings.val_fraction, settings.seed)
    if plan.trial:
        folder = replace(folder, val=dataset.Split(paths=(), labels=()))
    strategy = make(plan, world)
    feed = strategy.feed()
    workers = settings.workers
    if workers is None:
        workers = automatic_workers(cores, used[0].type, plan.loaders)
    stream = Stream(
        folder,
        settings,
        shard=Shard(feed.shard, feed.shards),
        workers=_share_of_workers(workers, world, feed),
        pinned=used[0].type == "cuda" and feed.images,
        parent=os.getpid(),
        images=feed.images,
    )
    try:
        if world.size > 1:
            # From here on ranks wait for each other: none may leave without the others' knowing.
            stop.eager = False
            recorder.post(Phase(name="meeting the other ranks"))
        world.join(used[0], settings.hang_timeout)

        recorder.post(Phase(name="building model"))
        network, sentences = model.build(settings, len(folder.classes))
        facts = Facts(plan, folder, stream.all_sizes, network)
        events = strategy.prepare(plan, network, used, _class_counts(folder.train))
        for sentence in sentences:
            recorder.post(Notice(level="warning", text=sentence, code="setup"))
        for event in events:
            recorder.post(event)

        clock = clock_for(used[0], SLOTS)
        telemetry = Telemetry(
            used[0],
            clock,
            strategy.tolerance,
            beats=world.size > 1,
            others=used[1:],
            observers=(
                Starving(Readers(workers, cores, feed.shards)).step,
                NotFinite(scaled=strategy.tolerance > 1).step,
            ),
            tell=recorder.post,
        )
        recorder.attach(telemetry)
        recorder.post(
            facts.ready(
                used,
                strategy.precision,
                workers=_workers_of_node(workers, world, feed),
                threads=threads,
                queue=stream.queue,
                held=strategy.held(),
            )
        )
        yield Job(
            plan=plan,
            classes=folder.classes,
            strategy=strategy,
            stream=stream,
            schedule=schedule(settings, stream.steps_per_epoch),
            telemetry=telemetry,
            recorder=recorder,
            checkpoints=Checkpoints(run, recorder),
            damage=Damage(folder, recorder.post),
            stop=stop,
            world=world,
            feed=feed,
        )
        strategy.close()
        world.leave()
    finally:
        stream.close()


def warm_up(job: Job) -> None:
    """Everything that is slow the first time, before the first step that counts."""
    settings = job.plan.settings
    job.recorder.post(Phase(name="compiling" if settings.compile else "warming up"))
    job.strategy.warm_up(job.stream.sizes, settings.image_size)
    job.telemetry.gauge.forget_peaks()


def _class_counts(split: dataset.Split) -> list[int]:
    """Images of each class."""
    counted = Counter(split.labels)
    return [counted[label] for label in range(max(counted, default=-1) + 1)]


def _share_of_workers(workers: int, world: World, feed: Feed) -> int:
    """Of the node's workers those of this rank: only ranks that need images have any.

    All ranks together have as many as one rank alone would, or strategies could not be compared;
    but at least one each.
    """
    if not feed.images:
        return 0
    if feed.shards == 1:
        return workers
    each, more = divmod(workers, world.local_size)
    return max(min(workers, 1), each + (world.local_rank < more))


def _workers_of_node(workers: int, world: World, feed: Feed) -> int:
    """How many there are in the end, where ranks are more than workers were asked for."""
    return max(workers, world.local_size) if workers and feed.shards > 1 else workers
