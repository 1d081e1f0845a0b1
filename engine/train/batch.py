"""What is computed at once: images and labels on the host, and what reading them took."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from engine.train.course import Part


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
        return Batch(
            self.part,
            self.epoch,
            images,
            labels,
            self.damaged,
            missing,
            self.read,
            self.read_seconds,
        )
