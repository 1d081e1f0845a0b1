"""How well each class is told from the others, by a confusion matrix. Pure.

With ``n`` images of a class, ``said`` times that it was the answer and ``top1`` times rightly so:
recall (the accuracy of the class) is top1 / n, precision top1 / said, and F1, their harmonic mean,
2 top1 / (n + said) (C. J. van Rijsbergen 1979, "Information Retrieval", chapter 7). Means over the
classes that have images weigh each class alike: of recalls it is the balanced accuracy (K. H.
Brodersen et al. 2010, "The balanced accuracy and its posterior distribution"), of F1 the macro F1
(M. Sokolova, G. Lapalme 2009, "A systematic analysis of performance measures for classification
tasks"). The precision of a class that was never the answer is unknown, and counts as 0 in the mean.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from engine.journal.judged import JudgedView
from engine.journal.views import RunView
from engine.report.statistics import proportion_interval


@dataclass(frozen=True, slots=True)
class ClassResult:
    """Counts of one class; shares of them in 0..1, ``None`` where there is nothing to share."""

    name: str
    """As the dataset calls it: text from outside."""
    images: int
    top1: int
    """Images that were taken for what they are."""
    top5: int
    """Images whose class was among the five best."""
    said: int
    """Images, of whatever class, that were taken for this one."""

    @property
    def recall(self) -> float | None:
        """The accuracy of the class: its images that were taken for it."""
        return _share(self.top1, self.images)

    @property
    def top5_share(self) -> float | None:
        return _share(self.top5, self.images)

    @property
    def precision(self) -> float | None:
        return _share(self.top1, self.said)

    @property
    def f1(self) -> float | None:
        return _share(2 * self.top1, self.images + self.said)

    @property
    def interval(self) -> tuple[float, float] | None:
        """What holds the true recall with a probability of 95 %: few images say little."""
        return proportion_interval(self.top1, self.images) if self.images else None


@dataclass(frozen=True, slots=True)
class Confusion:
    """Images of ``true`` that were taken for ``said``; both are places in the list of classes."""

    true: int
    said: int
    count: int
    share: float
    """Of the images of ``true``."""


@dataclass(frozen=True)
class ClassReport:
    """What one validation said of every class."""

    judged: JudgedView
    classes: tuple[ClassResult, ...]
    """In the order of the dataset."""
    named: bool
    """Whether the names are known: else they are numbers."""

    @property
    def images(self) -> int:
        return self.judged.images

    @cached_property
    def top1(self) -> float:
        return sum(each.top1 for each in self.classes) / self.images

    @cached_property
    def top5(self) -> float:
        return sum(each.top5 for each in self.classes) / self.images

    @cached_property
    def balanced_accuracy(self) -> float:
        return _mean([each.recall for each in self._with_images])

    @cached_property
    def macro_precision(self) -> float:
        return _mean([each.precision for each in self._with_images])

    @cached_property
    def macro_f1(self) -> float:
        return _mean([each.f1 for each in self._with_images])

    @cached_property
    def worst(self) -> tuple[int, ...]:
        """The classes that have images by their recall, the worst first; of equal ones that with
        more images, of which it is surer."""
        known = [place for place, each in enumerate(self.classes) if each.images]
        return tuple(
            sorted(known, key=lambda n: (self.classes[n].recall or 0.0, -self.classes[n].images))
        )

    @cached_property
    def confused(self) -> tuple[Confusion, ...]:
        """Pairs that were taken for each other, those with most images first."""
        true, said = self.judged.true, self.judged.said
        wrong = np.flatnonzero(true != said)
        # Of equal counts, the larger share of its class; then as the classes stand.
        shares = self.judged.count[wrong] / self._images[true[wrong]]
        order = np.lexsort((said[wrong], true[wrong], -shares, -self._counts[wrong]))
        cells = wrong[order]
        parts = (true[cells], said[cells], self.judged.count[cells], shares[order])
        return tuple(map(Confusion, *(each.tolist() for each in parts)))

    @property
    def _with_images(self) -> list[ClassResult]:
        return [each for each in self.classes if each.images]

    @property
    def _counts(self) -> np.ndarray:
        return self.judged.count.astype(np.int64)

    @property
    def _images(self) -> np.ndarray:
        return np.array([each.images for each in self.classes])

    def taken_for(self, place: int) -> tuple[Confusion, ...]:
        """What images of one class were taken for, most often first."""
        return self._by_true.get(place, ())

    def taken_from(self, place: int) -> tuple[Confusion, ...]:
        """Images of which other classes were taken for this one, most often first."""
        return self._by_said.get(place, ())

    @cached_property
    def _by_true(self) -> dict[int, tuple[Confusion, ...]]:
        return _grouped(self.confused, lambda each: each.true)

    @cached_property
    def _by_said(self) -> dict[int, tuple[Confusion, ...]]:
        return _grouped(self.confused, lambda each: each.said)

    def matrix(self) -> np.ndarray:
        """``[true][said]`` images, (classes, classes) int64: 8 MB for 1,000 classes."""
        dense = np.zeros((len(self.classes), len(self.classes)), np.int64)
        dense[self.judged.true, self.judged.said] = self.judged.count
        return dense


def class_report(judged: JudgedView, names: Sequence[str] = ()) -> ClassReport:
    """``names`` of the classes in their order; where they are not as many, numbers from 1."""
    classes = judged.classes
    named = len(names) == classes
    count = judged.count.astype(np.int64)
    right = judged.true == judged.said
    columns = (
        np.bincount(judged.true, count, classes),
        np.bincount(judged.true[right], count[right], classes),
        judged.top5,
        np.bincount(judged.said, count, classes),
    )
    called = names if named else [str(place) for place in range(1, classes + 1)]
    numbers = (each.astype(np.int64).tolist() for each in columns)
    return ClassReport(judged, tuple(map(ClassResult, called, *numbers)), named)


def of_run(run: RunView, *, best: bool = True) -> ClassReport | None:
    """Of the best validation, or of the last one that was told; ``None`` before the first."""
    judged = run.best_judged if best else run.last_judged
    if judged is None:
        return None
    return class_report(judged, run.ready.classes if run.ready is not None else ())


def _grouped(
    pairs: Iterable[Confusion], key: Callable[[Confusion], int]
) -> dict[int, tuple[Confusion, ...]]:
    found: dict[int, list[Confusion]] = {}
    for each in pairs:
        found.setdefault(key(each), []).append(each)
    return {place: tuple(those) for place, those in found.items()}


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _mean(shares: Sequence[float | None]) -> float:
    return sum(each or 0.0 for each in shares) / len(shares)
