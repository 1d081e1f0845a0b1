"""Which batch size to try next, and which of those that were tried is best. Pure: the tries are
made by ``engine.run.search``.

From a quarter of the batch that was asked for upwards, twice as large each time, until a batch does
not fit, the dataset ends, or two doublings bring no more throughput; downwards instead where
nothing fits, or where the smallest is the best so far; and where only memory ended it, up to two
tries between the best and the first that did not fit.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field

from engine.plan.trials import Sizes

GAIN = 0.02
"""Throughputs that differ by less than this share are equal: the smaller batch of the two wins."""
NOISE = 0.1
"""Nor are they told apart by less than two standard errors of their difference: of two tries on a
machine that others use, the smaller. From this share on (also where the steps were too few to tell)
the end of the search says how well throughputs are known."""
WORTHWHILE = 1.25
"""The last step before the dataset ends is made where it is at least so large."""
REFINEMENTS = 2
"""Tries between the best batch and the first that does not fit, at most."""

_EQUAL_AT_MOST = 0.25
"""Rates that differ by more are told apart however little is known: else noise makes tiny batches
win."""
_FIRST = 0.25
"""Of the batch that was asked for: where the search begins."""
_CLOSE = 0.1
"""A batch that does not fit and is larger by less than this share leaves nothing to try between."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """One batch size and what came of it. One that fits and has no throughput has failed."""

    batch_size: int
    fits: bool
    images_per_second: float | None = None
    spread: float = 0.0
    """Standard error of the throughput, as a share of it."""
    reason: str = ""

    @property
    def rate(self) -> float:
        return self.images_per_second or 0.0

    @property
    def failed(self) -> bool:
        return self.fits and self.images_per_second is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The end of a search; no ``batch_size`` where none could be measured."""

    batch_size: int | None = None
    images_per_second: float | None = None
    reason: str = ""
    """What ended it: a sentence."""


def advance(sizes: Sizes, tries: Sequence[Try]) -> int | Found:
    """The next batch size to try, never one that was tried before; or the end."""
    known = {each.batch_size: each for each in tries}
    failed = next((each for each in tries if each.failed), None)
    if failed is not None:
        seen = _Seen([each for each in tries if each.fits and not each.failed])
        return seen.found(f"a batch of {failed.batch_size} could not be tried: {failed.reason}")
    course = _course(sizes)
    try:
        size = next(course)
        while size in known:
            size = course.send(known[size])
    except StopIteration as end:
        found: Found = end.value
        return found
    return size


def _beats(one: Try, other: Try) -> bool:
    """Whether it is faster, by more than noise."""
    noise = min(_EQUAL_AT_MOST, 2 * math.hypot(one.spread, other.spread))
    return one.rate > (1 + max(GAIN, noise)) * other.rate


@dataclass(slots=True)
class _Seen:
    """What is known at a point of the search."""

    fitting: list[Try] = field(default_factory=list)
    """In the order of the tries."""
    over: int | None = None
    """The smallest that does not fit."""

    def note(self, result: Try) -> bool:
        """Whether it fits."""
        if result.fits:
            self.fitting.append(result)
        else:
            size = result.batch_size
            self.over = size if self.over is None else min(self.over, size)
        return result.fits

    @property
    def best(self) -> Try | None:
        """The smallest of those that none beats."""
        if not self.fitting:
            return None
        fastest = max(self.fitting, key=lambda each: each.rate)
        equal = [each for each in self.fitting if not _beats(fastest, each)]
        return min(equal, key=lambda each: each.batch_size)

    @property
    def smallest(self) -> int:
        sizes = [each.batch_size for each in self.fitting]
        return min(sizes if self.over is None else [*sizes, self.over])

    @property
    def largest(self) -> int:
        return max(each.batch_size for each in self.fitting)

    @property
    def is_flat(self) -> bool:
        """Whether the last two tries brought no more throughput than those before."""
        before, last = self.fitting[:-2], self.fitting[-2:]
        if not before:
            return False
        fastest = max(before, key=lambda each: each.rate)
        return not any(_beats(each, fastest) for each in last)

    def found(self, reason: str) -> Found:
        best = self.best
        if best is None:
            return Found(reason=reason)
        worst = max(2 * each.spread for each in self.fitting)
        if worst > NOISE:
            reason += f"; images/s are known to ±{min(worst, 1):.0%} only"
        return Found(batch_size=best.batch_size, images_per_second=best.rate, reason=reason)


_Course = Generator[int, Try, str]
"""Yields batch sizes, is sent what came of them, and returns why it ended."""


def _course(sizes: Sizes) -> Generator[int, Try, Found]:
    seen = _Seen()
    reason = yield from _upwards(sizes, seen)
    if seen.fitting or seen.over is not None:
        yield from _downwards(sizes, seen)
        yield from _between(sizes, seen)
    if seen.over is not None:
        reason = f"a batch of {seen.over} does not fit"
        if not seen.fitting:
            reason += ", and a smaller one cannot be trained"
    return seen.found(reason)


def _upwards(sizes: Sizes, seen: _Seen) -> _Course:
    asked = sizes.asked if sizes.images is None else min(sizes.asked, sizes.images)
    size = sizes.near(_FIRST * asked)
    wanted = 2 * _FIRST * asked
    if size is None:
        return (
            f"no batch size can be tried: a batch is a multiple of {sizes.step}, and the dataset "
            f"has {sizes.images} images for training"
        )
    while True:
        if not seen.note((yield size)):
            return "memory"
        if seen.is_flat:
            return f"batches up to {size} are no faster"
        while wanted < 1.5 * size:
            wanted *= 2
        larger = sizes.near(wanted, above=size)
        if larger is None or larger < WORTHWHILE * size:
            if sizes.images is None:
                return f"no batch beyond {size} can be tried"
            return f"the dataset has {sizes.images} images for training"
        size = larger


def _downwards(sizes: Sizes, seen: _Seen) -> Generator[int, Try, None]:
    """While nothing fits, and while what is smaller is as fast."""
    while seen.best is None or seen.best.batch_size == seen.smallest:
        smallest = seen.smallest
        size = sizes.near(smallest / 2, below=smallest)
        if size is None or (not seen.note((yield size)) and seen.fitting):
            return


def _between(sizes: Sizes, seen: _Seen) -> Generator[int, Try, None]:
    """Where throughput still grew when memory ended it."""
    for _ in range(REFINEMENTS):
        best, over = seen.best, seen.over
        if best is None or over is None or best.batch_size != seen.largest:
            return
        if over - best.batch_size < _CLOSE * best.batch_size:
            return
        middle = (best.batch_size + over) / 2
        size = sizes.near(middle, above=best.batch_size, below=over)
        if size is None:
            return
        seen.note((yield size))
