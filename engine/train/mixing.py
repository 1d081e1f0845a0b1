"""MixUp and CutMix: images and labels mixed in pairs, on the device.

The images 2i and 2i + 1 of a global batch's order are a pair, and each is mixed into the other by
the same share. What is drawn for a pair is a function of (seed, epoch, its two samples) alone, and
batches are cut at whole pairs (``engine.plan.pairs``): neither ranks, workers nor parts have a say
in it. An image whose partner cannot be decoded, and a lone last one, stay as they are.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from engine.plan.config import Settings

Box = tuple[int, int, int, int]
"""Left, top, right and bottom in pixels; the last two are outside."""
_NO_BOX: Box = (0, 0, 0, 0)


class Drawn(NamedTuple):
    """For one pair: the share that an image keeps, and the box that it gets from its partner;
    without a box it is blended as a whole."""

    share: float
    box: Box = _NO_BOX


class Mix(NamedTuple):
    """How the images of a batch are mixed; a row for each, on the host."""

    steps: Tensor
    """Where an image's partner is: 1 for the next place, -1 for the one before, 0 for itself."""
    shares: Tensor
    """What an image's own label keeps of it, as float32."""
    boxes: Tensor
    """(images, 4): see ``Box``."""

    def without(self, kept: Tensor) -> Mix:
        """Of the images ``kept``, booleans. Who loses its partner stays as it is."""
        partners = torch.arange(len(self.steps)) + self.steps
        alone = ~kept[partners]
        return Mix(
            self.steps.masked_fill(alone, 0)[kept],
            self.shares.masked_fill(alone, 1.0)[kept],
            self.boxes.masked_fill(alone.unsqueeze(1), 0)[kept],
        )

    def cut(self, begin: int, end: int) -> Mix:
        return Mix(self.steps[begin:end], self.shares[begin:end], self.boxes[begin:end])

    def to(self, device: torch.device) -> Mix:
        return Mix(*(each.to(device, non_blocking=True) for each in self))

    @property
    def partners(self) -> Tensor:
        """The place of each image's partner in the batch."""
        return torch.arange(len(self.steps), device=self.steps.device) + self.steps


def draw(settings: Settings, epoch: int, one: int, other: int, side: int) -> Drawn:
    """For the pair of the samples ``one`` and ``other``, as images of ``side`` pixels.

    MixUp blends by a share from Beta(alpha, alpha) (Zhang et al. 2017, 1710.09412). CutMix (Yun et
    al. 2019, 1905.04899) puts a box of that share of the area anywhere, and what of it lies outside
    is lost: an image keeps what is left. Where both are on, one of them is drawn for each pair.
    """
    seeds = np.random.SeedSequence([settings.seed, epoch, one, other])
    generator = np.random.Generator(np.random.Philox(seeds))
    both = settings.mixup > 0 and settings.cutmix > 0
    blends = generator.random() < 0.5 if both else settings.mixup > 0
    if blends:
        return Drawn(float(generator.beta(settings.mixup, settings.mixup)))
    share = generator.beta(settings.cutmix, settings.cutmix)
    half = int(0.5 * math.sqrt(1.0 - share) * side)
    x, y = int(side * generator.random()), int(side * generator.random())
    left, top = max(0, x - half), max(0, y - half)
    right, bottom = min(side, x + half), min(side, y + half)
    kept = 1.0 - (right - left) * (bottom - top) / side**2
    return Drawn(kept, (left, top, right, bottom))


def mix(settings: Settings, epoch: int, samples: Sequence[int], side: int) -> Mix:
    """Of ``samples`` in the order of a global batch, from an even place on."""
    steps, shares, boxes = [], [], []
    for one, other in zip(samples[::2], samples[1::2], strict=False):
        drawn = draw(settings, epoch, one, other, side)
        steps += [1, -1]
        shares += [drawn.share] * 2
        boxes += [drawn.box] * 2
    if len(samples) % 2:
        steps.append(0)
        shares.append(1.0)
        boxes.append(_NO_BOX)
    return _as_mix(steps, shares, boxes)


def blank(images: int) -> Mix:
    """For images that count for nothing: pairs, with all that is computed for them."""
    pairs = images // 2
    return _as_mix([1, -1] * pairs + [0] * (images % 2), [0.5] * images, [(0, 0, 1, 1)] * images)


def blended(images: Tensor, partners: Tensor, mix: Mix) -> Tensor:
    """``images`` and their ``partners``, both (images, channels, height, width) and the second one
    written over; everything is on one device."""
    left, top, right, bottom = mix.boxes.view(-1, 4, 1, 1, 1).unbind(1)
    whole = torch.ones_like(mix.shares)
    kept = torch.where(right.view(-1) > left.view(-1), whole, mix.shares)
    kept = kept.to(images.dtype).view(-1, 1, 1, 1)
    x = torch.arange(images.shape[3], device=images.device).view(1, 1, 1, -1)
    y = torch.arange(images.shape[2], device=images.device).view(1, 1, -1, 1)
    inside = (x >= left) & (x < right) & (y >= top) & (y < bottom)
    return partners.lerp_(images, kept.masked_fill(inside, 0.0))


def soft(labels: Tensor, mix: Mix, classes: int, dtype: torch.dtype) -> Tensor:
    """The shares of the classes in each image, (images, classes); all on one device."""
    every = torch.arange(classes, device=labels.device)
    own = (labels.unsqueeze(1) == every).to(dtype)
    shares = mix.shares.to(dtype).unsqueeze(1)
    return own * shares + own[mix.partners] * (1.0 - shares)


def _as_mix(steps: Sequence[int], shares: Sequence[float], boxes: Sequence[Box]) -> Mix:
    return Mix(
        torch.tensor(steps, dtype=torch.int64),
        torch.tensor(shares, dtype=torch.float32),
        torch.tensor(boxes, dtype=torch.int64).view(-1, 4),
    )
