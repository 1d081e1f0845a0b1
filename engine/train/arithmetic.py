"""How a strategy computes: its precision, its memory format, and images made ready for both."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from engine.plan.runs import RunPlan
from engine.train import precision
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

    def autocast(self) -> AbstractContextManager[object]:
        half = self.precision.dtype
        return torch.autocast(self.device.type, dtype=half, enabled=half is not None)

    def images(self, batch: Batch) -> Tensor:
        """(images, 3, height, width), normalised: bytes travel, and grow on the device."""
        images = batch.images.to(self.device, non_blocking=True)
        # (images, height, width, 3) in memory *is* channels-last once its axes are renamed.
        images = images.permute(0, 3, 1, 2).to(self.dtype, memory_format=self.layout)
        return images.sub_(self.mean).mul_(self.scale)

    def labels(self, batch: Batch) -> Tensor:
        return batch.labels.to(self.device, non_blocking=True)

    def blank(self, images: int, side: int) -> Batch:
        """Grey images for passes that count for nothing."""
        pixels = torch.full((images, side, side, 3), 114, dtype=torch.uint8)
        labels = torch.zeros(images, dtype=torch.int64)
        return Batch("train", 0, pixels, labels, [])


def arithmetic(plan: RunPlan, model: nn.Module, device: torch.device) -> Arithmetic:
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
    )


def loss_of(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Logits in 32 bits or more, and the sum of the losses of all images."""
    logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
    return logits, cross_entropy(logits, labels, reduction="sum")
