"""Batches of images in an order that is a function of (seed, epoch) alone.

One set of worker processes reads a whole training: each epoch's training batches, its
validation batches, the next epoch's training batches and so on, so that nothing waits at the
borders. What a worker is asked for carries epoch and sample index: it keeps no state of its own.
"""

from __future__ import annotations

import multiprocessing
import signal
import sys
from collections.abc import Iterator
from functools import partial
from typing import Any

from torch.utils.data import DataLoader

from engine.plan.config import Settings
from engine.plan.dataset import Dataset as Folder
from engine.train.batch import Batch
from engine.train.course import BEGIN, Course, Position, Shard
from engine.train.images import prepare_pillow
from engine.train.kinship import die_with
from engine.train.reading import Images, Made

_AHEAD = 2
"""Batches that each worker reads ahead."""


class Stream:
    """The batches of a whole training, read ahead by worker processes.

    Workers are made at once and forked, on Linux: 0.02 s each where a fresh interpreter takes
    seconds to import torch. So it is made early, before torch has threads of its own and before a
    GPU has work; the one other thread, the recorder's, holds nothing that a worker needs.
    """

    def __init__(
        self,
        folder: Folder,
        settings: Settings,
        *,
        shard: Shard,
        workers: int,
        pinned: bool,
        parent: int,
        images: bool = True,
        start: Position = BEGIN,
    ) -> None:
        """``start``: the first batch is the next one there."""
        self._course = Course(folder, settings, shard, start)
        self._made = Made(workers, _context()) if workers else None
        self._taken = 0
        self.queue = _AHEAD * workers if workers else None
        """Batches that the workers read ahead at most; ``None`` without workers."""
        prepare_pillow()
        loader = DataLoader(
            Images(folder, settings, images=images, made=self._made),
            batch_sampler=self._course,
            num_workers=workers,
            collate_fn=_as_it_is,
            pin_memory=pinned,
            worker_init_fn=partial(_start_worker, parent=parent) if workers else None,
            multiprocessing_context=_context() if workers else None,
            prefetch_factor=_AHEAD if workers else None,
        )
        self._batches: Iterator[Batch] | None = iter(loader)

    @property
    def steps_per_epoch(self) -> int:
        return len(self._course.train_sizes)

    @property
    def sizes(self) -> tuple[int, ...]:
        """The sizes that global batches have, the most common one first."""
        return tuple(dict.fromkeys(self._course.train_sizes))

    @property
    def all_sizes(self) -> tuple[int, ...]:
        """The size of the global batch of every step of an epoch."""
        return tuple(self._course.train_sizes)

    def images_of_step(self, step_in_epoch: int) -> int:
        """The size of the global batch, damaged images counted."""
        return self._course.train_sizes[step_in_epoch]

    def next(self) -> Batch:
        """The next training batch; there are ``steps_per_epoch`` in an epoch."""
        assert self._batches is not None, "the stream is closed"
        batch = next(self._batches)
        self._taken += 1
        return batch

    def queued(self) -> int | None:
        """Batches that are ready, but for their way here; ``None`` without workers."""
        return None if self._made is None else max(0, self._made.total - self._taken)

    def validation(self) -> Iterator[Batch]:
        """The validation batches of the epoch at hand; after an early end too."""
        left = self._course.val_batches
        while left:
            batch = self.next()
            if batch.part == "val":
                left -= 1
                yield batch

    def cut(self) -> None:
        """No further training batches: what is left is a validation."""
        self._course.cut = True

    def close(self) -> None:
        """Ends the workers, those that hang in a file system too."""
        batches, self._batches = self._batches, None
        # What an exception holds on to would keep the workers until the interpreter ends.
        shut_down = getattr(batches, "_shutdown_workers", None)
        if shut_down is not None:
            shut_down()
        for process in multiprocessing.active_children():
            process.kill()


def automatic_workers(cores: int, device: str, loaders: int = 1) -> int:
    """How many processes decode images where the user does not say.

    A GPU leaves the cores to them. A CPU that trains needs its cores itself, and one core
    decodes for about four that train. Where strategies are compared there are as many in all of
    them: one at least for each of the ``loaders``, the most ranks that any of them has.
    """
    if device == "cpu" and cores == 1:
        return 0
    chosen = min(8, max(1, cores // 4 if device == "cpu" else cores - 1))
    return max(chosen, loaders)


def _as_it_is(batch: Any) -> Any:
    """``Images`` hands out whole batches: there is nothing left to collate."""
    return batch


def _context() -> str:
    return "fork" if sys.platform == "linux" else "spawn"


def _start_worker(_: int, parent: int) -> None:
    """A worker ends with its rank, and never by itself before it: a signal to the whole group
    is the rank's to answer."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    die_with(parent)
    prepare_pillow()
