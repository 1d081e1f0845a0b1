"""The real training loop with the real recorder, on images that are in memory already.

A step is then nothing but training, which is where what surrounds it weighs most.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from engine.journal.events import AttemptEnded, AttemptStarted
from engine.journal.files import writer_fields
from engine.plan.config import Settings
from engine.plan.machine import ANY
from engine.plan.runs import RunPlan
from engine.plan.strategies import strategy
from engine.plan.switches import combine
from engine.train.batch import Batch
from engine.train.data import Stream
from engine.train.job import Job
from engine.train.preparing import prepare, warm_up
from engine.train.recorder import Recorder
from engine.train.stop import StopRequest

_BATCHES = 8


class Repeating(Stream):
    """The first batches of a stream, over and over."""

    def __init__(self, stream: Stream) -> None:
        self._course = stream._course
        self._made, self.queue, self._taken = None, None, 0
        self._source = stream
        self._batches = itertools.cycle([stream.next() for _ in range(stream.steps_per_epoch)])

    def next(self) -> Batch:
        assert self._batches is not None
        return next(self._batches)


@contextmanager
def real_loop(
    folder: Path, device: str, *, batch_size: int, side: int, **more: Any
) -> Iterator[Job]:
    """A ResNet-18 that is ready to train plainly; its journal is ``folder/rank0.jsonl``.

    ``more``: settings besides, as ``Settings`` has them.
    """
    chosen = strategy("single")
    settings = Settings(
        model="resnet18",
        device=device,
        image_size=side,
        batch_size=batch_size,
        epochs=1_000_000,
        workers=0,
        **more,
    )
    plan = RunPlan(
        run="01-single",
        strategy=chosen,
        settings=combine(chosen, settings, ANY),
        dataset=str(_images(folder / "images", _BATCHES * batch_size, side)),
    )
    recorder = Recorder(
        folder / "rank0.jsonl", AttemptStarted(rank=0, world_size=1, **writer_fields())
    )
    stop = StopRequest(folder / "stop")
    try:
        with prepare(plan, folder, recorder, stop) as job:
            warm_up(job)
            job.stream = Repeating(job.stream)
            yield job
    finally:
        stop.close()
        recorder.close(AttemptEnded(state="done", step=0))


def _images(folder: Path, count: int, side: int) -> Path:
    """Noise in two classes; as much again to validate is not needed."""
    generator = np.random.default_rng(7)
    for part, number in (("train", count), ("val", 2)):
        for index in range(number):
            place = folder / part / f"class{index % 2}"
            place.mkdir(parents=True, exist_ok=True)
            pixels = generator.integers(0, 256, (side, side, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(place / f"{index:04d}.png")
    return folder
