"""Batches cut at whole pairs, and what is too small for it."""

from __future__ import annotations

from itertools import accumulate

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.plan.config import Settings
from engine.plan.pairs import at_once, shares
from engine.plan.runs import RunPlan
from engine.plan.shares import device_batch
from engine.plan.strategies import strategy
from tests.plan.test_switches import planned, refused

sizes = st.integers(0, 300)
counts = st.integers(1, 12)


@given(sizes, counts)
def test_single_images_are_shared_out_as_evenly_as_can_be(images: int, pieces: int) -> None:
    assert shares(images, pieces) == [len(each) for each in np.array_split(range(images), pieces)]


@given(sizes, counts)
def test_no_cut_goes_through_a_pair(images: int, pieces: int) -> None:
    made = shares(images, pieces, 2)
    assert (len(made), sum(made)) == (pieces, images)
    assert all(end % 2 == 0 or end == images for end in accumulate(made))
    assert max(made) - min(made) <= 3 if images % 2 else max(made) - min(made) <= 2


@pytest.mark.parametrize(
    ("parallelism", "given", "fewest", "most"),
    [
        ("none", {}, 10, 10),
        ("none", {"accumulate": 3}, 2, 4),
        ("ddp", {"nproc": 2}, 4, 6),
        ("ddp", {"nproc": 2, "accumulate": 2}, 2, 4),
        ("dp", {"nproc": 4}, 2, 3),
        ("gpipe", {"nproc": 2, "micro_batches": 4, "accumulate": 2}, 1, 2),
    ],
)
def test_what_a_device_computes_at_once(
    parallelism: str, given: dict[str, int], fewest: int, most: int
) -> None:
    settings = Settings(batch_size=10, mixup=0.2, **given)  # type: ignore[arg-type]
    assert at_once(parallelism, settings) == (fewest, most)


def test_the_batch_of_a_device_is_told_in_whole_pairs() -> None:
    for mixup, part in ((0.0, 5), (0.2, 6)):
        settings = planned("ddp", batch_size=10, nproc=2, mixup=mixup)["ddp"]
        run = RunPlan(run="01-ddp", strategy=strategy("ddp"), settings=settings, dataset="x")
        assert device_batch(run) == part


def test_what_is_too_small_to_be_mixed_is_refused() -> None:
    assert "in batches of one image" in refused("single", batch_size=1, cutmix=1.0)
    told = refused("ddp", batch_size=6, nproc=4, mixup=0.2)
    assert "the 3 pairs" in told
    assert "4 devices (--nproc)" in told
    both = refused("ddp", batch_size=10, nproc=2, accumulate=3, mixup=0.2)
    assert "between 2 devices (--nproc) of 3 parts (--accumulate)" in both
    assert planned("ddp", batch_size=6, nproc=3, mixup=0.2)
    assert planned("ddp", batch_size=6, nproc=4)
