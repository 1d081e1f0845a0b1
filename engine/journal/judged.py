"""What validations said of each class, checked before anything counts with it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.journal.events import ClassesJudged

Counts = NDArray[np.uint32]

KEPT = 8
"""Judgements of one attempt that are remembered: a resume undoes those after its checkpoint, which
is seldom more than one back. One of 50,000 images in 1,000 classes takes up to 800 kB."""

MOST = 2**31
"""Images of one cell beyond which a count is damage."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class JudgedView:
    """A confusion matrix by its cells that are not 0, in the order of (true, said).

    ``count[i]`` images of class ``true[i]`` were taken for ``said[i]``, each (cells,); ``top5``
    (classes,): images of each class whose class was among the five best.
    """

    epoch: int
    step: int
    best: bool
    """It was the best validation until then."""
    true: Counts
    said: Counts
    count: Counts
    top5: Counts
    t: float

    @property
    def classes(self) -> int:
        return len(self.top5)

    @property
    def images(self) -> int:
        return int(self.count.sum(dtype=np.int64))


def judged_view(event: ClassesJudged) -> JudgedView | None:
    """The event as arrays that are not written; ``None`` where its parts do not fit each other."""
    parts = (event.true, event.said, event.count, event.top5)
    if any(len(part) % 4 for part in parts) or not event.top5:
        return None
    true, said, count, top5 = (np.frombuffer(part, "<u4") for part in parts)
    if not 0 < len(true) == len(said) == len(count):
        return None
    classes = len(top5)
    if max(true.max(), said.max()) >= classes or not 0 < count.min() <= count.max() < MOST:
        return None
    cells = true.astype(np.int64) * classes + said
    if (np.diff(cells) <= 0).any():
        return None
    images = np.bincount(true, count, classes)
    right = np.bincount(true[true == said], count[true == said], classes)
    if (top5 < right).any() or (top5 > images).any():
        return None
    return JudgedView(
        epoch=event.epoch,
        step=event.step,
        best=event.best,
        true=true,
        said=said,
        count=count,
        top5=top5,
        t=event.t,
    )


class Judgements:
    """Those of one attempt."""

    def __init__(self) -> None:
        self._kept: deque[JudgedView] = deque(maxlen=KEPT)

    def add(self, event: ClassesJudged) -> bool:
        """Whether it can be believed; what cannot is forgotten."""
        view = judged_view(event)
        if view is not None:
            self._kept.append(view)
        return view is not None

    def until(self, step: float) -> list[JudgedView]:
        """Those that a resume from ``step`` has not undone, oldest first."""
        return [each for each in self._kept if each.step <= step]


def newest(told: Iterable[JudgedView], *, best: bool = False) -> JudgedView | None:
    """The one after most steps, of those that were the best where ``best``."""
    chosen = [each for each in told if each.best or not best]
    return max(chosen, key=lambda each: each.step, default=None)
