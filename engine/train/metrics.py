"""Exact sums and counts: what a step or a validation adds up to.

A tally is five numbers on the device, in float32 (float64 where the network is): ``[loss_sum,
top1, top5, count, finite]``. Counts of one batch stay exact far beyond any batch that fits a device
(2**24); batches are added up on the host in float64.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from engine.train.judging import Judge

TALLY = 5
"""Numbers in a tally."""
FINITE = 4
"""The place of the flag that is 1 where the step was finite, 0 where it was not."""


def tally(loss_sum: Tensor, logits: Tensor, labels: Tensor, judge: Judge | None = None) -> Tensor:
    """What one batch adds, without a look at the device.

    ``loss_sum`` is a scalar, ``logits`` (images, classes), ``labels`` (images,) class indices.
    ``top5`` counts images whose class is among the five best scores, or among all of them where
    there are fewer than five classes. ``judge`` sees the same five. Of mixed images ``labels`` are
    the shares of the classes (images, classes), and the class is the one with the largest share.
    """
    with torch.no_grad():
        labels = labels.argmax(dim=1) if labels.is_floating_point() else labels
        best = logits.topk(min(5, logits.shape[1]), dim=1).indices
        if judge is not None:
            judge.see(best, labels)
        hits = best == labels.unsqueeze(1)
        loss = loss_sum.detach()
        loss = loss.to(torch.promote_types(loss.dtype, torch.float32))
        return torch.stack(
            (
                loss,
                hits[:, 0].sum().to(loss.dtype),
                hits.any(dim=1).sum().to(loss.dtype),
                torch.full_like(loss, len(labels)),
                loss.isfinite().to(loss.dtype),
            )
        )


def nothing(device: torch.device) -> Tensor:
    """The tally of no image at all: it counts as finite.

    Filled on the device: values that are copied to it wait for all that it has to do.
    """
    result = torch.zeros(TALLY, device=device)
    result[FINITE].fill_(1.0)
    return result


def plus(one: Tensor | None, other: Tensor) -> Tensor:
    """The tally of two parts of a step: finite where both are."""
    if one is None:
        return other
    total = one + other
    total[FINITE] = one[FINITE] * other[FINITE]
    return total


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """Tallies added up on the host."""

    loss_sum: float = 0.0
    top1: int = 0
    top5: int = 0
    images: int = 0
    finite: bool = True

    @property
    def loss(self) -> float:
        return self.loss_sum / self.images if self.images else float("nan")

    @property
    def accuracy(self) -> float:
        return self.top1 / self.images if self.images else float("nan")


def add_up(tallies: Sequence[Tensor]) -> Sums:
    """The sum of many tallies, in float64; the only place that reads them from the device."""
    if not tallies:
        return Sums()
    rows = torch.stack(list(tallies)).cpu().double()
    loss_sum, top1, top5, images, finite = rows.sum(dim=0).tolist()
    return Sums(
        loss_sum=loss_sum,
        top1=int(top1),
        top5=int(top5),
        images=int(images),
        finite=int(finite) == len(tallies),
    )
