"""Which images are read when: a whole training's batches as a function of (seed, epoch) alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import Sampler

from engine.plan.config import Settings
from engine.plan.dataset import Dataset as Folder
from engine.plan.learning_rate import batch_sizes
from engine.plan.pairs import shares, unit

Part = Literal["train", "val"]


class Key(NamedTuple):
    """What identifies one image to read."""

    part: Part
    epoch: int
    sample: int


@dataclass(frozen=True, slots=True)
class Shard:
    """Which part of every global batch a rank reads: number ``index`` of ``count``."""

    index: int = 0
    count: int = 1


def order(images: int, seed: int, epoch: int) -> NDArray[np.int64]:
    """The order in which an epoch goes through the training images."""
    generator = np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, epoch])))
    return generator.permutation(images)


@dataclass(frozen=True, slots=True)
class Position:
    """Where a training stands: ``done`` steps of ``epoch`` are made, and ``step`` in all."""

    epoch: int = 0
    done: int = 0
    step: int = 0


BEGIN = Position()


class Course(Sampler[list[Key]]):
    """The batches of a whole training from ``start`` on, in the order in which they are needed."""

    def __init__(
        self, folder: Folder, settings: Settings, shard: Shard, start: Position = BEGIN
    ) -> None:
        self._start = start
        self._train, self._val = len(folder.train), len(folder.val)
        self._settings = settings
        self._shard = shard
        self.train_sizes = batch_sizes(self._train, settings.batch_size)
        # As many images at once as in training, over all ranks; as many batches on every rank.
        self._val_size = -(-settings.batch_size // shard.count)
        share = -(-self._val // shard.count)
        self.val_batches = -(-share // self._val_size)
        self.cut = False
        """Set to go to the validation of the epoch at hand without the rest of its training."""

    def __iter__(self) -> Iterator[list[Key]]:
        start, steps = self._start, self._settings.max_steps
        steps = None if steps is None else max(0, steps - start.step)
        for epoch in range(start.epoch, self._settings.epochs):
            done = start.done if epoch == start.epoch else 0
            for batch in islice(self._train_batches(epoch), done, None):
                if self.cut or steps == 0:
                    break
                steps = None if steps is None else steps - 1
                yield [Key("train", epoch, int(index)) for index in batch]
            yield from self._val_keys(epoch)
            if self.cut or steps == 0:
                return

    def _train_batches(self, epoch: int) -> Iterator[NDArray[np.int64]]:
        shuffled = order(self._train, self._settings.seed, epoch)
        for batch in np.split(shuffled, np.cumsum(self.train_sizes)[:-1]):
            cuts = np.cumsum(shares(len(batch), self._shard.count, unit(self._settings)))
            yield np.split(batch, cuts)[self._shard.index]

    def _val_keys(self, epoch: int) -> Iterator[list[Key]]:
        own = range(self._shard.index, self._val, self._shard.count)
        for batch in range(self.val_batches):
            chosen = own[batch * self._val_size :][: self._val_size]
            yield [Key("val", epoch, index) for index in chosen]
