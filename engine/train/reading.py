"""From keys to batches, in whichever process reads them, and how many batches were made so far."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Sequence
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset, get_worker_info

from engine.plan.config import Settings
from engine.plan.dataset import Dataset as Folder
from engine.plan.pairs import mixes
from engine.plan.resizing import side
from engine.train.augment import training_crop, validation_crop
from engine.train.batch import Batch
from engine.train.changing import Changes
from engine.train.course import Key
from engine.train.images import Damaged, decode
from engine.train.mixing import Mix, mix


class Made:
    """How many batches the workers have made: a number of each in memory that all processes share.

    Every worker writes its own, so that nobody waits for a lock.
    """

    def __init__(self, workers: int, context: str) -> None:
        self._counts = multiprocessing.get_context(context).RawArray("Q", workers)

    def add(self) -> None:
        """In a worker: one more."""
        worker = get_worker_info()
        if worker is not None:
            self._counts[worker.id] += 1

    @property
    def total(self) -> int:
        return sum(self._counts)


class Images(Dataset[Batch]):
    """Reads the images that a list of keys names."""

    def __init__(
        self,
        folder: Folder,
        settings: Settings,
        *,
        images: bool = True,
        made: Made | None = None,
    ) -> None:
        """``made`` is told of every batch."""
        self._splits = {"train": folder.train, "val": folder.val}
        self._settings = settings
        self._images = images
        self._made = made
        self._changes = Changes(settings)

    def __getitems__(self, keys: Sequence[Key]) -> Batch:
        size = self._side(keys[0]) if keys else self._settings.image_size
        pixels = np.empty((len(keys) if self._images else 0, size, size, 3), dtype=np.uint8)
        labels: list[int] = []
        damaged: list[tuple[int, str]] = []
        missing: list[int] = []
        began = time.perf_counter()
        for place, key in enumerate(keys):
            try:
                if self._images:
                    pixels[len(labels)] = self._read(key)
            except Damaged as error:
                damaged.append((key.sample, str(error)))
                missing.append(place)
            else:
                labels.append(self._splits[key.part].labels[key.sample])
        seconds = time.perf_counter() - began
        if self._made is not None:
            self._made.add()
        return Batch(
            part=keys[0].part if keys else "val",
            epoch=keys[0].epoch if keys else 0,
            images=torch.from_numpy(pixels[: len(labels)]),
            labels=torch.tensor(labels, dtype=torch.int64),
            damaged=damaged,
            missing=tuple(missing),
            read=len(keys) if self._images else 0,
            read_seconds=seconds if self._images else 0.0,
            mix=self._mix(keys, size, missing),
        )

    def _side(self, key: Key) -> int:
        settings = self._settings
        return side(settings, key.epoch) if key.part == "train" else settings.image_size

    def _mix(self, keys: Sequence[Key], size: int, missing: Sequence[int]) -> Mix | None:
        """How the images of ``keys`` but those ``missing`` are mixed."""
        if not keys or keys[0].part != "train" or not mixes(self._settings):
            return None
        kept = torch.ones(len(keys), dtype=torch.bool)
        kept[list(missing)] = False
        samples = [key.sample for key in keys]
        return mix(self._settings, keys[0].epoch, samples, size).without(kept)

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
        return self._changes(decode(path, self._side(key), crop), key.epoch, key.sample)
