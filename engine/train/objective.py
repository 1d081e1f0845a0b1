"""What training minimises: the sum of the losses of all images, smoothed and weighted by choice.

Validation is judged by the plain cross entropy, so that recipes can be compared by it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.plan.config import Settings
from engine.train.arithmetic import loss_of


@dataclass(frozen=True, slots=True)
class Objective:
    """``weights``: of each class (classes,), on the device; their mean over the training images
    is 1, so that the sum of all losses may be divided by the number of images."""

    smoothing: float = 0.0
    weights: Tensor | None = None

    def __call__(self, logits: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Logits in 32 bits or more, and the sum of the losses of all images.

        ``logits`` (images, classes); ``targets``: class indices (images,), or the shares that the
        classes have in each image (images, classes).
        """
        return loss_of(logits, targets)


def objective(settings: Settings, counts: Sequence[int], device: torch.device) -> Objective:
    """What a training minimises on ``device``; ``counts``: training images of each class."""
    return Objective(settings.label_smoothing)
