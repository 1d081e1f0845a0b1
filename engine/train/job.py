"""From a plan to everything that a training consists of, phase by phase."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.errors import WrongInput
from engine.journal.events import Notice, Phase, Ready
from engine.plan import dataset
from engine.plan.config import Settings
from engine.plan.runs import RunPlan
from engine.train import devices, model, optim
from engine.train.checkpoint import Checkpoints
from engine.train.clocks import clock_for
from engine.train.course import Shard, order
from engine.train.damage import Damage
from engine.train.data import Stream, automatic_workers
from engine.train.loop import Job
from engine.train.recorder import Recorder
from engine.train.stop import StopRequest
from engine.train.strategies.base import Strategy
from engine.train.strategies.none import NoParallelism
from engine.train.telemetry import SLOTS, Telemetry


@contextmanager
def prepare(plan: RunPlan, run: Path, recorder: Recorder, stop: StopRequest) -> Iterator[Job]:
    """A job that is ready to go, its workers included; they end with the block."""
    settings = plan.settings
    local = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    device = devices.choose(settings, int(os.environ.get("LOCAL_RANK", "0")))
    cores = devices.cores()
    threads = max(1, cores // local)
    devices.configure(device, threads)

    recorder.post(Phase(name="reading images"))
    folder = dataset.load(Path(plan.dataset), settings.val_fraction, settings.seed)
    _check_batches(len(folder.train), settings)
    workers = settings.workers
    if workers is None:
        workers = automatic_workers(cores, device.type)
    strategy = _strategy(plan)
    feed = strategy.feed()
    stream = Stream(
        folder,
        settings,
        shard=Shard(feed.shard, feed.shards),
        workers=-(-workers // local),
        pinned=device.type == "cuda",
        parent=os.getpid(),
    )

    recorder.post(Phase(name="building model"))
    network, sentences = model.build(settings, len(folder.classes))
    weights = model.digest(network)
    parameters = sum(each.numel() for each in network.parameters())
    sentences += strategy.prepare(plan, network, [device])
    for sentence in sentences:
        recorder.post(Notice(level="warning", text=sentence, code="setup"))

    telemetry = Telemetry(device, clock_for(device, SLOTS), strategy.tolerance)
    recorder.attach(telemetry)
    total = settings.epochs * stream.steps_per_epoch
    recorder.post(
        Ready(
            model=settings.model,
            parameters=parameters,
            classes=folder.classes,
            train_images=len(folder.train),
            val_images=len(folder.val),
            epochs=settings.epochs,
            steps_per_epoch=stream.steps_per_epoch,
            total_steps=min(total, settings.max_steps or total),
            batch_size=settings.batch_size,
            device=str(device),
            device_name=devices.name_of(device),
            precision=strategy.precision,
            workers=workers,
            threads=threads,
            hashes={
                "weights": weights,
                "split": _split_hash(folder),
                "order": _short(order(len(folder.train), settings.seed, 0).tobytes()),
            },
        )
    )
    recorder.post(Phase(name="warming up"))
    try:
        yield Job(
            plan=plan,
            classes=folder.classes,
            strategy=strategy,
            stream=stream,
            schedule=optim.schedule(settings, stream.steps_per_epoch),
            telemetry=telemetry,
            recorder=recorder,
            checkpoints=Checkpoints(run, recorder),
            damage=Damage(folder, recorder.post),
            stop=stop,
        )
    finally:
        stream.close()
        strategy.close()


def _strategy(plan: RunPlan) -> Strategy:
    match plan.strategy.parallelism:
        case "none":
            return NoParallelism()


def _check_batches(images: int, settings: Settings) -> None:
    """A step on one small image cannot be normalised: say so before it is tried."""
    if settings.image_size <= 32 and min(images, settings.batch_size) == 1:
        raise WrongInput(
            f"batch normalisation needs more than one image at {settings.image_size} px; "
            "use --batch-size 2 or more, and more than one training image"
        )


def _split_hash(folder: dataset.Dataset) -> str:
    """Of the relative paths and labels of both parts, in order."""
    digest = hashlib.blake2b(digest_size=8)
    for split in (folder.train, folder.val):
        for path, label in zip(split.paths, split.labels, strict=True):
            digest.update(os.fsencode(os.path.relpath(path, folder.folder)))
            digest.update(b"\0%d\0" % label)
        digest.update(b"\0\0")
    return digest.hexdigest()


def _short(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=8).hexdigest()
