"""The search for a batch size against synthetic curves of throughput, and against brute force."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.plan.batches import Found, Try, advance
from engine.plan.config import Settings
from engine.plan.machine import ANY
from engine.plan.runs import RunPlan, resized
from engine.plan.strategies import strategy
from engine.plan.switches import combine
from engine.plan.trials import Sizes, sizes_of

Curve = Callable[[int], float]


def search(sizes: Sizes, rate: Curve, fitting: int = 1 << 30) -> tuple[list[Try], Found]:
    """All tries of a strategy that has that throughput, and holds ``fitting`` images at most."""
    tries: list[Try] = []
    while isinstance(size := advance(sizes, tries), int):
        assert size not in [each.batch_size for each in tries]
        fits = size <= fitting
        tries.append(
            Try(batch_size=size, fits=fits, images_per_second=rate(size) if fits else None)
        )
    return tries, size


def tried(sizes: Sizes, rate: Curve, fitting: int = 1 << 30) -> list[int]:
    return [each.batch_size for each in search(sizes, rate, fitting)[0]]


def saturating(half: float, most: float = 1000.0) -> Curve:
    """``most`` is reached by large batches, half of it by a batch of ``half``."""
    return lambda size: most * size / (size + half)


@pytest.mark.parametrize(
    ("sizes", "rate", "fitting", "course", "best", "reason"),
    [
        # Twice as large each time, past the batch that was asked for, until memory ends; then
        # two tries towards what does not fit.
        (Sizes(asked=64), saturating(200), 600, [16, 32, 64, 128, 256, 512, 1024, 768, 640], 512,
         "a batch of 640 does not fit"),
        (Sizes(asked=64), saturating(200), 800, [16, 32, 64, 128, 256, 512, 1024, 768, 896], 768,
         "a batch of 896 does not fit"),
        # No more throughput: larger batches are not worth their memory.
        (Sizes(asked=64), saturating(0.01), 600, [16, 32, 64, 8, 4, 2, 1], 1,
         "batches up to 64 are no faster"),
        # Past its peak; the smallest is best, so smaller ones are tried.
        (Sizes(asked=64), lambda size: 1000 / size, 600, [16, 32, 64, 8, 4, 2, 1], 1,
         "batches up to 64 are no faster"),
        (Sizes(asked=64), lambda size: 500 - abs(size - 32), 600, [16, 32, 64, 128], 32,
         "batches up to 128 are no faster"),
        # The dataset ends; what is hardly larger is not tried.
        (Sizes(asked=64, images=196), saturating(200), 600, [16, 32, 64, 128, 196], 196,
         "the dataset has 196 images for training"),
        (Sizes(asked=64, images=140), saturating(200), 600, [16, 32, 64, 128], 128,
         "the dataset has 140 images for training"),
        (Sizes(asked=64, images=10), saturating(200), 600, [2, 5, 10], 10,
         "the dataset has 10 images for training"),
        # Multiples of what the strategy needs.
        (Sizes(asked=50, step=4), saturating(200), 120, [12, 24, 48, 100, 200, 148, 124], 100,
         "a batch of 124 does not fit"),
        # Too large from the start.
        (Sizes(asked=64), saturating(200), 5, [16, 8, 4, 2, 6, 5], 5,
         "a batch of 6 does not fit"),
        (Sizes(asked=64, step=2), saturating(200), 3, [16, 8, 4, 2], 2,
         "a batch of 4 does not fit"),
        (Sizes(asked=64, step=2), saturating(200), 1, [16, 8, 4, 2], None,
         "a batch of 2 does not fit, and a smaller one cannot be trained"),
        (Sizes(asked=64, step=32, images=20), saturating(200), 600, [], None,
         "no batch size can be tried: a batch is a multiple of 32, and the dataset has 20 images"
         " for training"),
    ],
)  # fmt: skip
def test_known_courses(
    sizes: Sizes, rate: Curve, fitting: int, course: list[int], best: int | None, reason: str
) -> None:
    tries, found = search(sizes, rate, fitting)
    assert [each.batch_size for each in tries] == course
    assert (found.batch_size, found.reason) == (best, reason)
    assert found.images_per_second == (None if best is None else rate(best))


def test_what_is_equal_within_noise_goes_to_the_smaller_batch() -> None:
    rates = {16: 100.0, 32: 150.0, 64: 197.0, 128: 200.0, 256: 199.0}
    tries, found = search(Sizes(asked=64), rates.__getitem__)
    assert len(tries) == 5
    assert found == Found(
        batch_size=64, images_per_second=197.0, reason="batches up to 256 are no faster"
    )


@pytest.mark.parametrize(
    ("spread", "best", "known"),
    [
        (0.0, 128, ""),
        (0.01, 128, ""),
        (0.03, 64, ""),
        (0.1, 64, "; images/s are known to ±20% only"),
        (9.9, 64, "; images/s are known to ±100% only"),
    ],
)
def test_noise_is_what_was_measured(spread: float, best: int, known: str) -> None:
    """197 and 212 images/s are 7.6 % apart: two standard errors where each has one of 2.7 %."""
    rates = {16: 100.0, 32: 150.0, 64: 197.0, 128: 212.0, 256: 211.0, 8: 50.0, 4: 30.0}
    tries = [
        Try(batch_size=size, fits=True, images_per_second=rate, spread=spread)
        for size, rate in rates.items()
    ]
    tries += [Try(batch_size=size, fits=False) for size in (2, 1)]
    found = advance(Sizes(asked=64, images=256), tries)
    assert isinstance(found, Found)
    assert found.reason.endswith(known)
    assert found.batch_size == best


def test_a_try_that_failed_ends_the_search_with_what_is_known() -> None:
    tries = [
        Try(batch_size=16, fits=True, images_per_second=10.0),
        Try(batch_size=32, fits=True, reason="it broke"),
    ]
    found = advance(Sizes(asked=64), tries)
    assert found == Found(
        batch_size=16,
        images_per_second=10.0,
        reason="a batch of 32 could not be tried: it broke",
    )
    assert advance(Sizes(asked=64), tries[1:]) == Found(
        reason="a batch of 32 could not be tried: it broke"
    )


def test_that_the_dataset_is_small_may_be_learned_on_the_way() -> None:
    """What was tried before counts, wherever the course leads now."""
    first = [Try(batch_size=16, fits=True, images_per_second=10.0)]
    assert advance(Sizes(asked=64), first) == 32
    assert advance(Sizes(asked=64, images=24), first) == 6


POSITIVE = st.integers(1, 5000)


@settings(deadline=None, max_examples=300)
@given(asked=POSITIVE, step=st.integers(1, 40), images=POSITIVE, fitting=POSITIVE, half=POSITIVE,
       peak=st.integers(20, 100_000))  # fmt: skip
@example(asked=64, step=1, images=5000, fitting=5000, half=1, peak=20)
def test_against_brute_force(
    asked: int, step: int, images: int, fitting: int, half: int, peak: int
) -> None:
    """Throughput that grows and levels off, or falls behind a peak; memory ends anywhere."""

    def rate(size: int) -> float:
        return 1000 * size / (size + half) / (1 + size / peak)

    tries, found = search(Sizes(asked=asked, step=step, images=images), rate, fitting)
    possible = [size for size in range(step, images + 1, step) if size <= fitting]
    assert all(each.batch_size in range(step, images + 1, step) for each in tries)
    assert len(tries) <= 2 * max(asked, images).bit_length() + 6
    if not possible:
        assert found.batch_size is None
        return
    assert found.batch_size in possible
    # A fifth of the batch may be missing at either end, and what is lost by stopping early.
    assert rate(found.batch_size) >= 0.75 * max(map(rate, possible))


@settings(deadline=None, max_examples=200)
@given(
    rates=st.lists(st.floats(0.1, 1e6), min_size=1, max_size=30),
    asked=POSITIVE,
    images=st.none() | POSITIVE,
    fitting=POSITIVE,
    refused=st.sets(st.integers(1, 200)),
)
def test_it_always_ends_whatever_is_measured(
    rates: list[float], asked: int, images: int | None, fitting: int, refused: set[int]
) -> None:
    """Noise that has nothing to do with the batch: no batch twice, none that is refused."""
    sizes = Sizes(asked=asked, images=images, allowed=lambda size: size % 201 not in refused)
    tries, found = search(sizes, lambda size: rates[size % len(rates)], fitting)
    assert len(tries) < 60
    for each in tries:
        assert each.batch_size % 201 not in refused
        assert 1 <= each.batch_size <= (images or 1 << 24)
    fits = [each for each in tries if each.fits]
    assert (found.batch_size is None) == (not fits)
    if fits:
        fastest = max(each.images_per_second or 0.0 for each in fits)
        assert (found.images_per_second or 0.0) * 1.02 >= fastest


def planned(name: str, **given: object) -> tuple[RunPlan, Settings]:
    asked = Settings(**{"batch_size": 64, **given})  # type: ignore[arg-type]
    chosen = strategy(name)
    return (
        RunPlan(
            run=f"01-{name}",
            strategy=chosen,
            settings=combine(chosen, asked, ANY),
            dataset="/data",
        ),
        asked,
    )


@pytest.mark.parametrize(
    ("name", "given_", "course"),
    [
        ("single", {}, [16, 32, 64, 128, 200]),
        ("single", {"accumulate": 3}, [15, 30, 63, 126, 198]),
        ("ddp", {"nproc": 3}, [15, 30, 63, 126, 198]),
        ("ddp", {"nproc": 2, "accumulate": 2, "image_size": 32}, [16, 32, 64, 128, 200]),
        ("gpipe", {"micro_batches": 5, "nproc": 1}, [15, 30, 60, 125, 200]),
        ("pipeline", {}, [16, 32, 64, 128, 200]),
    ],
)
def test_a_strategy_gets_what_it_can_share_out(
    name: str, given_: dict[str, object], course: list[int]
) -> None:
    run, asked = planned(name, **given_)
    sizes = sizes_of(run, asked, images=200)
    assert tried(sizes, saturating(1000)) == course
    for size in course:
        assert resized(run, size, asked).settings.batch_size == size


def test_no_batch_is_tried_that_the_rules_refuse() -> None:
    """Normalisation at 32 px needs two images for each process."""
    run, asked = planned("ddp", nproc=4, image_size=32, batch_size=16)
    assert min(tried(sizes_of(run, asked), lambda size: 1 / size)) == 8
