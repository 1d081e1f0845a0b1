"""What a validation says of each class: which image was taken for what, counted on the device.

Every image is one whole number, ``(true * classes + said) * 2 + (1 where its class was among the
five best)``. The numbers of a batch stay on the device until the validation is over, as its tally
does: eight bytes an image whatever the number of classes, where a matrix would be 8 MB for 1,000
classes and 3.5 GB for 21,000.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.journal.events import ClassesJudged
from engine.train.world import World


class Judge:
    """Sees the images of one validation that this rank has logits of."""

    def __init__(self, classes: int) -> None:
        self._classes = classes
        self._seen: list[Tensor] = []

    def see(self, best: Tensor, labels: Tensor) -> None:
        """Takes note of a batch without a look at the device.

        ``best`` (images, up to 5): the classes with the best scores, the best one first; ``labels``
        (images,): the true ones.
        """
        among = (best == labels.unsqueeze(1)).any(dim=1)
        self._seen.append((labels * self._classes + best[:, 0]) * 2 + among)

    def judged(self, world: World, *, epoch: int, step: int, best: bool) -> ClassesJudged:
        """What all ranks have seen together; collective, and the only place that reads it."""
        own = torch.cat(self._seen).cpu() if self._seen else torch.zeros(0, dtype=torch.int64)
        seen: NDArray[np.int64] = world.gather(own).numpy()
        cells, count = np.unique(seen >> 1, return_counts=True)
        among = np.bincount((seen[seen & 1 == 1] >> 1) // self._classes, minlength=self._classes)
        return ClassesJudged(
            epoch=epoch,
            step=step,
            best=best,
            true=_column(cells // self._classes),
            said=_column(cells % self._classes),
            count=_column(count),
            top5=_column(among),
        )


def _column(numbers: NDArray[np.int64]) -> bytes:
    return numbers.astype("<u4").tobytes()
