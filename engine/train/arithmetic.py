"""How a strategy computes: its precision, its memory format, and images made ready for both."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from engine.plan.pairs import mixes
from engine.plan.runs import RunPlan
from engine.train import mixing, precision
from engine.train.augment import MEAN, STD
from engine.train.batch import Batch
from engine.train.precision import Precision


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """The arithmetic of one rank on one device."""

    device: torch.device
    precision: Precision
    layout: torch.memory_format
    dtype: torch.dtype
    """Of weights and of the images before autocast: float32, or float64 for proofs."""
    mean: Tensor
    scale: Tensor
    classes: int = 0
    """Of labels that are shares of classes: 0 where images are not mixed."""

    def autocast(self) -> AbstractContextManager[object]:
        half = self.precision.dtype
        return torch.autocast(self.device.type, dtype=half, enabled=half is not None)

    def images(self, batch: Batch) -> Tensor:
        """(images, 3, height, width), normalised, then mixed: bytes travel, and grow on the
        device."""
        pixels = batch.images.to(self.device, non_blocking=True)
        images = self._normalised(pixels)
        if batch.mix is None:
            return images
        mix = batch.mix.to(self.device)
        return mixing.blended(images, self._normalised(pixels[mix.partners]), mix)

    def labels(self, batch: Batch, device: torch.device | None = None) -> Tensor:
        """Class indices (images,), or where images are mixed the share of every class in each
        (images, classes); on ``device`` where logits come out elsewhere."""
        device = device or self.device
        labels = batch.labels.to(device, non_blocking=True)
        if batch.mix is None:
            return labels
        dtype = torch.promote_types(self.dtype, torch.float32)
        return mixing.soft(labels, batch.mix.to(device), self.classes, dtype)

    def blank(self, images: int, side: int) -> Batch:
        """Grey images for passes that count for nothing."""
        pixels = torch.full((images, side, side, 3), 114, dtype=torch.uint8)
        labels = torch.zeros(images, dtype=torch.int64)
        mix = mixing.blank(images) if self.classes else None
        return Batch("train", 0, pixels, labels, [], mix=mix)

    def _normalised(self, pixels: Tensor) -> Tensor:
        # (images, height, width, 3) in memory *is* channels-last once its axes are renamed.
        images = pixels.permute(0, 3, 1, 2).to(self.dtype, memory_format=self.layout)
        return images.sub_(self.mean).mul_(self.scale)


def arithmetic(
    plan: RunPlan, model: nn.Module, device: torch.device, classes: int = 0
) -> Arithmetic:
    """What the plan asks for, as far as ``device`` can."""
    settings = plan.settings
    channels_last = settings.channels_last == "yes" or (
        settings.channels_last == "auto" and device.type in ("cuda", "cpu")
    )
    dtype = next(model.parameters()).dtype
    mean = torch.tensor(MEAN, device=device, dtype=dtype).view(1, 3, 1, 1)
    std = torch.tensor(STD, device=device, dtype=dtype).view(1, 3, 1, 1)
    return Arithmetic(
        device=device,
        precision=precision.choose(settings, device),
        layout=torch.channels_last if channels_last else torch.contiguous_format,
        dtype=dtype,
        mean=255.0 * mean,
        scale=1.0 / (255.0 * std),
        classes=classes if mixes(settings) else 0,
    )


def loss_of(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Logits in 32 bits or more, and the sum of the losses of all images."""
    logits = at_least_32_bits(logits)
    return logits, cross_entropy(logits, labels, reduction="sum")


def at_least_32_bits(values: Tensor) -> Tensor:
    """Half precision is too coarse for losses and their sums."""
    return values.to(torch.promote_types(values.dtype, torch.float32))
