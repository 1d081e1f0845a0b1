"""Which batch size to try next, and which of those that were tried is best. Pure: the tries are
made by ``engine.run.search``.

From a quarter of the batch that was asked for upwards, twice as large each time, until a batch does
not fit, the dataset ends, or two doublings bring no more throughput; downwards instead where
nothing fits, or where the smallest is the best so far; and where only memory ended it, up to two
tries between the best and the first that did not fit.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field

from engine.errors import StrategyError
from engine.plan.config import Settings
from engine.plan.runs import RunPlan, resized

GAIN = 0.02
"""Throughputs that differ by less than this share are equal: the smaller batch of the two wins."""
WORTHWHILE = 1.25
"""The last step before the dataset ends is made where it is at least so large."""
REFINEMENTS = 2
"""Tries between the best batch and the first that does not fit, at most."""

_FIRST = 0.25
"""Of the batch that was asked for: where the search begins."""
_CLOSE = 0.1
"""A batch that does not fit and is larger by less than this share leaves nothing to try between."""
_MOST = 1 << 24
"""Images of a batch beyond which nothing is sought."""
_LOOKED_AT = 256
"""Batches that the rules may refuse in a row before a place is given up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """One batch size and what came of it. One that fits and has no throughput has failed."""

    batch_size: int
    fits: bool
    images_per_second: float | None = None
    reason: str = ""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """The global batches that a strategy can be trained with."""

    asked: int
    step: int = 1
    """They are multiples of this, so that all devices and parts get as many images."""
    images: int | None = None
    """In the training part of the dataset, no batch being larger; ``None``: not known yet."""
    allowed: Callable[[int], bool] = field(default=lambda size: True)
    """Whether the rules let a batch be."""

    def near(self, wanted: float, above: int = 0, below: int | None = None) -> int | None:
        """The largest up to ``wanted``, else the smallest beyond it; ``None`` where there is none
        between ``above`` and ``below``, both left out."""
        most = _MOST if self.images is None else self.images
        most = most if below is None else min(most, below - 1)
        start = int(min(wanted, most)) // self.step * self.step
        for size in range(start, above, -self.step)[:_LOOKED_AT]:
            if size > 0 and self.allowed(size):
                return size
        start = max(start, above // self.step * self.step)
        for size in range(start + self.step, most + 1, self.step)[:_LOOKED_AT]:
            if self.allowed(size):
                return size
        return None


def sizes_of(run: RunPlan, asked: Settings, images: int | None = None) -> Sizes:
    """Those of a run's strategy; ``asked``: the settings of the experiment."""
    settings = run.settings
    pieces = settings.accumulate
    match run.strategy.parallelism:
        case "dp" | "ddp" | "fsdp":
            pieces *= settings.nproc or 1
        case "gpipe" | "pipeline":
            pieces *= settings.micro_batches or 1
        case "none":
            pass

    def allowed(size: int) -> bool:
        try:
            resized(run, size, asked)
        except StrategyError:
            return False
        return True

    return Sizes(asked=settings.batch_size, step=pieces, images=images, allowed=allowed)


def advance(sizes: Sizes, tries: Sequence[Try]) -> int | Found:
    """The next batch size to try, never one that was tried before; or the end."""
    known = {each.batch_size: each for each in tries}
    failed = next((each for each in tries if each.failed), None)
    if failed is not None:
        best = _Seen({size: each.images_per_second or 0.0 for size, each in _measured(known)})
        return best.found(f"a batch of {failed.batch_size} could not be tried: {failed.reason}")
    course = _course(sizes)
    try:
        size = next(course)
        while size in known:
            size = course.send(known[size])
    except StopIteration as end:
        found: Found = end.value
        return found
    return size


def _measured(tries: dict[int, Try]) -> list[tuple[int, Try]]:
    return [(size, each) for size, each in tries.items() if each.fits and not each.failed]


@dataclass(slots=True)
class _Seen:
    """What is known at a point of the search."""

    rates: dict[int, float] = field(default_factory=dict)
    """Images per second of the batches that fit, in the order of the tries."""
    over: int | None = None
    """The smallest that does not fit."""

    def note(self, size: int, result: Try) -> bool:
        """Whether it fits."""
        if result.fits:
            self.rates[size] = result.images_per_second or 0.0
        else:
            self.over = size if self.over is None else min(self.over, size)
        return result.fits

    @property
    def best(self) -> int | None:
        """The smallest of those that are as fast as the fastest."""
        fastest = max(self.rates.values(), default=0.0)
        equal = (size for size, rate in self.rates.items() if rate * (1 + GAIN) >= fastest)
        return min(equal, default=None)

    @property
    def smallest(self) -> int:
        return min([*self.rates, *([self.over] if self.over is not None else [])])

    @property
    def is_flat(self) -> bool:
        """Whether the last two tries brought no more throughput than those before."""
        *before, one, two = [0.0, *self.rates.values()]
        return len(before) > 1 and max(one, two) < (1 + GAIN) * max(before)

    def found(self, reason: str) -> Found:
        best = self.best
        rate = None if best is None else self.rates[best]
        return Found(batch_size=best, images_per_second=rate, reason=reason)


_Course = Generator[int, Try, str]
"""Yields batch sizes, is sent what came of them, and returns why it ended."""


def _course(sizes: Sizes) -> Generator[int, Try, Found]:
    seen = _Seen()
    reason = yield from _upwards(sizes, seen)
    if seen.rates or seen.over is not None:
        yield from _downwards(sizes, seen)
        yield from _between(sizes, seen)
    if seen.over is not None:
        reason = f"a batch of {seen.over} does not fit"
        if not seen.rates:
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
        if not seen.note(size, (yield size)):
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
    while seen.best is None or seen.best == seen.smallest:
        smallest = seen.smallest
        size = sizes.near(smallest / 2, below=smallest)
        if size is None or (not seen.note(size, (yield size)) and seen.rates):
            return


def _between(sizes: Sizes, seen: _Seen) -> Generator[int, Try, None]:
    """Where throughput still grew when memory ended it."""
    for _ in range(REFINEMENTS):
        best, over = seen.best, seen.over
        if best is None or over is None or best != max(seen.rates) or over - best < _CLOSE * best:
            return
        size = sizes.near((best + over) / 2, above=best, below=over)
        if size is None:
            return
        seen.note(size, (yield size))
