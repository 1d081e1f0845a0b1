"""What is computed at once: images and labels on the host, and what reading them took."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor

from engine.plan.pairs import bounds
from engine.train.course import Part
from engine.train.mixing import Mix


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
    read: int = 0
    """Images that were read for it, damaged ones included."""
    read_seconds: float = 0.0
    """Wall time spent reading them, in the process that did."""
    mix: Mix | None = None
    """How they are mixed in pairs, where they are: known wherever labels are."""

    def __len__(self) -> int:
        return len(self.labels)

    def without(self, places: Sequence[int]) -> Batch:
        """For a rank without images: the labels but those at ``places``."""
        if tuple(places) == self.missing:
            return self
        kept = torch.ones(len(self.labels), dtype=torch.bool)
        kept[list(places)] = False
        mix = None if self.mix is None else self.mix.without(kept)
        return self._of(self.images, self.labels[kept], tuple(places), mix)

    def parts(self, count: int) -> list[Batch]:
        """The batch in ``count`` parts whose sizes differ by one at most, some of which may be
        empty; where images are mixed, their numbers of pairs do."""
        if count == 1:
            return [self]
        ends = self._ends(count)
        return [
            self._of(
                self.images[begin:end] if len(self.images) else self.images,
                self.labels[begin:end],
                self.missing,
                None if self.mix is None else self.mix.cut(begin, end),
            )
            for begin, end in pairwise(ends)
        ]

    def _ends(self, count: int) -> list[int]:
        """Where ``count`` parts begin, and where the last one ends."""
        if self.mix is None:
            return bounds(len(self.labels), count)
        # Second images of pairs begin nothing.
        begins = [place for place, step in enumerate(self.mix.steps.tolist()) if step != -1]
        begins.append(len(self.labels))
        return [begins[unit] for unit in bounds(len(begins) - 1, count)]

    def _of(
        self, images: Tensor, labels: Tensor, missing: tuple[int, ...], mix: Mix | None
    ) -> Batch:
        # ``_replace`` takes the length of a tuple for the number of its fields.
        return Batch(
            self.part,
            self.epoch,
            images,
            labels,
            self.damaged,
            missing,
            self.read,
            self.read_seconds,
            mix,
        )
