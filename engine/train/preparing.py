"""From a plan to everything that a training consists of, phase by phase."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from engine.journal.events import Notice, Phase
from engine.plan import dataset
from engine.plan.learning_rate import schedule
from engine.plan.resizing import sides
from engine.plan.runs import RunPlan
from engine.train import devices, model, restoring
from engine.train.alerts import NotFinite, Readers, Starving
from engine.train.checkpoint import Checkpoints
from engine.train.clocks import clock_for
from engine.train.course import BEGIN, Shard
from engine.train.damage import Damage
from engine.train.data import Stream, automatic_workers
from engine.train.facts import Facts
from engine.train.job import BrokenOff, Earlier, Job
from engine.train.recorder import Recorder
from engine.train.stop import StopRequest
from engine.train.strategies.base import Feed
from engine.train.strategies.choose import make
from engine.train.telemetry import SLOTS, Telemetry
from engine.train.world import World, from_environment


@contextmanager
def prepare(
    plan: RunPlan,
    run: Path,
    recorder: Recorder,
    stop: StopRequest,
    checkpoint: Path | None = None,
    *,
    attempt: int = 1,
) -> Iterator[Job]:
    """A job that is ready to warm up, its workers included; they end with the block.

    ``checkpoint``: what it goes on from. Raises ``CheckpointError`` where it cannot.
    """
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
    resumed = None if checkpoint is None else restoring.read(checkpoint, plan, folder.classes)
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
        start=resumed.position if resumed else BEGIN,
    )
    try:
        if world.size > 1:
            # From here on ranks wait for each other: none may leave without the others' knowing.
            stop.eager = False
            recorder.post(Phase(name="meeting the other ranks"))
        world.join(used[0], settings.hang_timeout)

        recorder.post(Phase(name="building model"))
        # What is resumed has its weights in the checkpoint; the file they came from may be gone.
        start = settings if resumed is None else replace(settings, weights="none")
        network, sentences = model.build(start, len(folder.classes))
        begun_with = resumed.hashes.get("weights") if resumed else None
        facts = Facts(plan, folder, stream.all_sizes, network, begun_with)
        if resumed is not None:
            restoring.check_same_course(resumed, facts.hashes())
        events = strategy.prepare(plan, network, used, class_counts(folder))
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
                NotFinite(skips=strategy.tolerance > 1, scaled=strategy.precision == "fp16").step,
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
        job = Job(
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
            device=used[0],
            attempt=attempt,
            hashes=facts.hashes(),
        )
        if resumed is not None:
            recorder.post(Phase(name="reading the checkpoint"))
            _go_on(job, resumed)
            resumed = None  # Or all that it holds would stay in memory as long as training goes on.
        yield job
        strategy.close()
        world.leave()
    finally:
        stream.close()


def _go_on(job: Job, resumed: restoring.Resumed) -> None:
    """Puts everything back that the checkpoint holds."""
    header, state = resumed.header, resumed.state
    own = restoring.own_part(resumed, job.plan, job.world)
    job.strategy.restore(state)
    job.strategy.restore_own(own["strategy"])
    job.telemetry.restore(own["steps"])
    restoring.restore_random(own, job.device)
    job.epoch, job.done, job.step = header.epoch, header.step_in_epoch, header.step
    job.best, job.best_epoch = header.best_acc, state["best_epoch"]
    if (before := state.get("broken_off")) is not None:
        job.broken_off = BrokenOff(before["best_acc"], before["best_epoch"])
        job.best, job.best_epoch = job.broken_off.best, job.broken_off.best_epoch
    job.spent = state["seconds"]
    job.earlier = Earlier(own["steps"]["sums"], own["epoch_seconds"])
    if job.world.first:
        less = restoring.lost(resumed, job.plan, job.strategy.precision)
        text = restoring.told(resumed, job.plan, job.world, less)
        job.recorder.post(Notice(level="warning" if less else "info", text=text, code="resumed"))


def warm_up(job: Job) -> None:
    """Everything that is slow the first time, before the first step that counts."""
    settings = job.plan.settings
    job.recorder.post(Phase(name="compiling" if settings.compile else "warming up"))
    for side in sides(settings):
        job.strategy.warm_up(job.stream.sizes, side)
    job.telemetry.gauge.forget_peaks()


def class_counts(folder: dataset.Dataset) -> list[int]:
    """Training images of each class."""
    counted = Counter(folder.train.labels)
    return [counted[label] for label in range(len(folder.classes))]


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
