"""Batches of images in an order that is a function of (seed, epoch) alone.

One set of worker processes reads a whole training: each epoch's training batches, its
validation batches, the next epoch's training batches and so on, so that nothing waits at the
borders. What a worker is asked for carries epoch and sample index: it keeps no state of its own.
"""

from __future__ import annotations

import multiprocessing
import signal
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from engine.plan.config import Settings
from engine.plan.dataset import Dataset as Folder
from engine.train.augment import training_crop, validation_crop
from engine.train.course import Course, Key, Part, Shard
from engine.train.images import Damaged, decode, prepare_pillow
from engine.train.kinship import die_with


class Batch(NamedTuple):
    """Images as (images, height, width, 3) bytes, and labels as int64, both on the host.

    ``damaged`` names the samples that are missing because they cannot be decoded, ``missing`` their
    places in what was asked for. For a rank that needs no images there are none, and a label for
    every sample: whoever reads the images says which are missing.
    """

    part: Part
    epoch: int
    images: Tensor
    labels: Tensor
    damaged: list[tuple[int, str]]
    missing: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.labels)

    def without(self, places: Sequence[int]) -> Batch:
        """For a rank without images: the labels but those at ``places``."""
        if tuple(places) == self.missing:
            return self
        kept = torch.ones(len(self.labels), dtype=torch.bool)
        kept[list(places)] = False
        return self._of(self.images, self.labels[kept], tuple(places))

    def parts(self, count: int) -> list[Batch]:
        """The batch in ``count`` parts whose sizes differ by one at most; some may be empty."""
        if count == 1:
            return [self]
        labels = self.labels.tensor_split(count)
        images = self.images.tensor_split(count) if len(self.images) else [self.images] * count
        return [
            self._of(pixels, each, self.missing)
            for pixels, each in zip(images, labels, strict=True)
        ]

    def _of(self, images: Tensor, labels: Tensor, missing: tuple[int, ...]) -> Batch:
        # ``_replace`` takes the length of a tuple for the number of its fields.
        return Batch(self.part, self.epoch, images, labels, self.damaged, missing)


class Images(Dataset[Batch]):
    """Reads the images that a list of keys names."""

    def __init__(self, folder: Folder, settings: Settings, *, images: bool = True) -> None:
        self._splits = {"train": folder.train, "val": folder.val}
        self._settings = settings
        self._images = images

    def __getitems__(self, keys: Sequence[Key]) -> Batch:
        side = self._settings.image_size if self._images else 0
        pixels = np.empty((len(keys) if self._images else 0, side, side, 3), dtype=np.uint8)
        labels: list[int] = []
        damaged: list[tuple[int, str]] = []
        missing: list[int] = []
        for place, key in enumerate(keys):
            try:
                if self._images:
                    pixels[len(labels)] = self._read(key)
            except Damaged as error:
                damaged.append((key.sample, str(error)))
                missing.append(place)
            else:
                labels.append(self._splits[key.part].labels[key.sample])
        return Batch(
            part=keys[0].part if keys else "val",
            epoch=keys[0].epoch if keys else 0,
            images=torch.from_numpy(pixels[: len(labels)]),
            labels=torch.tensor(labels, dtype=torch.int64),
            damaged=damaged,
            missing=tuple(missing),
        )

    def _read(self, key: Key) -> NDArray[np.uint8]:
        settings = self._settings
        path = self._splits[key.part].paths[key.sample]
        if key.part == "val":
            return decode(path, settings.image_size, validation_crop)
        crop = partial(
            training_crop,
            seed=settings.seed,
            epoch=key.epoch,
            index=key.sample,
            smallest=settings.crop_min,
            flip=settings.flip,
        )
        return decode(path, settings.image_size, crop)


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
    ) -> None:
        self._course = Course(folder, settings, shard)
        prepare_pillow()
        loader = DataLoader(
            Images(folder, settings, images=images),
            batch_sampler=self._course,
            num_workers=workers,
            collate_fn=_as_it_is,
            pin_memory=pinned,
            worker_init_fn=partial(_start_worker, parent=parent) if workers else None,
            multiprocessing_context=_context() if workers else None,
            prefetch_factor=2 if workers else None,
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
        return next(self._batches)

    def validation(self) -> Iterator[Batch]:
        """The validation batches of the epoch at hand; after an early end too."""
        assert self._batches is not None, "the stream is closed"
        left = self._course.val_batches
        while left:
            batch = next(self._batches)
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


def automatic_workers(cores: int, device: str) -> int:
    """How many processes decode images where the user does not say.

    A GPU leaves the cores to them. A CPU that trains needs its cores itself, and one core
    decodes for about four that train.
    """
    if device == "cpu":
        return 0 if cores == 1 else min(8, max(1, cores // 4))
    return min(8, max(1, cores - 1))


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
