"""What training minimises: the sum of the losses of all images, smoothed and weighted by choice.

Validation is judged by the plain cross entropy, neither smoothed nor weighted, so that recipes can
be compared by it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from engine.plan.config import Settings
from engine.train.arithmetic import at_least_32_bits


@dataclass(frozen=True, slots=True)
class Objective:
    """``smoothing``: the share of each label that all classes have equally (Szegedy et al. 2015,
    1512.00567). ``weights``: of each class (classes,), on the device of the logits; their mean
    over the training images is 1, so that the sum of all losses may be divided by the number of
    images."""

    smoothing: float = 0.0
    weights: Tensor | None = None

    def __call__(self, logits: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Logits in 32 bits or more, and the sum of the losses of all images.

        ``logits`` (images, classes); ``targets``: class indices (images,), or the shares that the
        classes have in each image (images, classes).
        """
        logits = at_least_32_bits(logits)
        weights = None if self.weights is None else self.weights.to(logits.dtype)
        if targets.is_floating_point():
            targets = targets.to(logits.dtype)
        loss = cross_entropy(
            logits, targets, weight=weights, reduction="sum", label_smoothing=self.smoothing
        )
        return logits, loss


def objective(settings: Settings, counts: Sequence[int], device: torch.device) -> Objective:
    """What a training minimises on ``device``; ``counts``: training images of each class."""
    weights = None
    if settings.class_weights == "balanced":
        weights = torch.tensor(balanced(counts), dtype=torch.float32).to(device)
    return Objective(settings.label_smoothing, weights)


def balanced(counts: Sequence[int]) -> list[float]:
    """Weights by which every class has the same part of the loss, whatever it has of the images.

    Images / (classes x images of the class), as in King & Zeng 2001 (Logistic Regression in Rare
    Events Data) and scikit-learn's ``class_weight="balanced"``. A class without training images
    has weight 0 and is not counted: over the training images the mean of the weights is 1.
    """
    images, classes = sum(counts), sum(count > 0 for count in counts)
    return [images / (classes * count) if count else 0.0 for count in counts]
