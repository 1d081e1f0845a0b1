"""Images mixed in pairs: as torchvision mixes them, and the same however a batch is cut."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torchvision.transforms import v2

from engine.plan.config import Settings
from engine.plan.pairs import shares
from engine.train.arithmetic import Arithmetic
from engine.train.batch import Batch
from engine.train.metrics import tally
from engine.train.mixing import Mix, blended, draw, mix, soft
from engine.train.precision import Precision

BOTH = Settings(seed=3, mixup=0.4, cutmix=1.0)
SIDE, CLASSES = 8, 5


def _images(count: int) -> Tensor:
    generator = torch.Generator().manual_seed(count)
    return torch.randn(count, 3, SIDE, SIDE, generator=generator, dtype=torch.float64)


def _mixed(images: Tensor, made: Mix) -> Tensor:
    return blended(images, images[made.partners], made)


@pytest.mark.parametrize(("mixup", "cutmix"), [(0.4, 0.0), (0.0, 1.0)])
def test_a_pair_is_mixed_as_torchvision_mixes_a_batch_of_two(mixup: float, cutmix: float) -> None:
    chosen = Settings(mixup=mixup, cutmix=cutmix)
    images, labels = _images(2), torch.tensor([4, 1])
    drawn = draw(chosen, 2, 10, 20, SIDE)
    made = mix(chosen, 2, [10, 20], SIDE)
    theirs: Any = v2.MixUp if mixup else v2.CutMix
    transform = theirs(alpha=mixup or cutmix, num_classes=CLASSES)
    params = {
        "labels": labels,
        "batch_size": 2,
        "lam": float(made.shares[0]),
        "lam_adjusted": float(made.shares[0]),
        "box": drawn.box,
    }
    torch.testing.assert_close(_mixed(images, made), transform.transform(images, params))
    torch.testing.assert_close(
        soft(labels, made, CLASSES, torch.float32), transform.transform(labels, params)
    )


def test_shares_and_boxes_are_drawn_as_the_papers_say() -> None:
    """Beta(a, a) has the mean 1/2 and the variance 1 / (4 (2a + 1))."""
    for alpha in (0.2, 1.0, 10.0):
        drawn = [draw(Settings(mixup=alpha), 0, each, each + 1, SIDE) for each in range(1000)]
        told = np.array([each.share for each in drawn])
        assert told.mean() == pytest.approx(0.5, abs=0.05)
        assert told.var() == pytest.approx(1 / (4 * (2 * alpha + 1)), rel=0.15)
        assert {each.box for each in drawn} == {(0, 0, 0, 0)}
    drawn = [draw(Settings(cutmix=1.0), 0, each, each + 1, 224) for each in range(1000)]
    for share, (left, top, right, bottom) in drawn:
        assert 0 <= left <= right <= 224
        assert 0 <= top <= bottom <= 224
        assert share == pytest.approx(1 - (right - left) * (bottom - top) / 224**2)
    boxed = sum(draw(BOTH, 0, each, each + 1, 224).box != (0, 0, 0, 0) for each in range(1000))
    assert 440 < boxed < 560


def test_a_pair_belongs_to_its_seed_epoch_and_samples() -> None:
    first = draw(BOTH, 1, 5, 9, SIDE)
    assert first == draw(BOTH, 1, 5, 9, SIDE)
    others = (draw(BOTH, 2, 5, 9, SIDE), draw(BOTH, 1, 9, 5, SIDE), draw(BOTH, 1, 5, 8, SIDE))
    assert first not in others
    assert first != draw(Settings(seed=4, mixup=0.4, cutmix=1.0), 1, 5, 9, SIDE)


def test_who_has_no_partner_stays_as_it_is() -> None:
    images = _images(7)
    made = mix(BOTH, 0, range(7), SIDE)
    kept = torch.tensor([True, True, False, True, True, True, True])
    left = made.without(kept)
    assert left.steps.tolist() == [1, -1, 0, 1, -1, 0]
    after = _mixed(images[kept], left)
    before = _mixed(images, made)
    assert torch.equal(after[[0, 1, 3, 4, 5]], before[[0, 1, 4, 5, 6]])
    assert torch.equal(after[2], images[3])
    assert torch.equal(before[6], images[6])
    labels = torch.tensor([0, 1, 2, 3, 4, 0])
    assert soft(labels, left, CLASSES, torch.float32)[2].tolist() == [0, 0, 1, 0, 0]


ARITHMETIC = Arithmetic(
    device=torch.device("cpu"),
    precision=Precision(name="fp32"),
    layout=torch.channels_last,
    dtype=torch.float64,
    mean=torch.full((1, 3, 1, 1), 100.0, dtype=torch.float64),
    scale=torch.full((1, 3, 1, 1), 0.02, dtype=torch.float64),
    classes=CLASSES,
)


def _batch(samples: range, damaged: frozenset[int]) -> Batch:
    kept = torch.tensor([each not in damaged for each in samples], dtype=torch.bool)
    readable = [each for each in samples if each not in damaged]
    pixels = [torch.full((SIDE, SIDE, 3), 9 * each % 256, dtype=torch.uint8) for each in readable]
    return Batch(
        part="train",
        epoch=4,
        images=torch.stack(pixels) if pixels else torch.zeros(0, SIDE, SIDE, 3, dtype=torch.uint8),
        labels=torch.tensor([each % CLASSES for each in readable], dtype=torch.int64),
        damaged=[],
        mix=mix(BOTH, 4, samples, SIDE).without(kept),
    )


@settings(max_examples=40)
@given(
    images=st.integers(1, 23),
    ranks=st.integers(1, 4),
    parts=st.integers(1, 5),
    damaged=st.frozensets(st.integers(0, 22), max_size=5),
)
def test_what_is_trained_on_does_not_depend_on_ranks_and_parts(
    images: int, ranks: int, parts: int, damaged: frozenset[int]
) -> None:
    whole = _batch(range(images), damaged)
    pieces, begin = [], 0
    for share in shares(images, ranks, 2):
        own = _batch(range(begin, begin + share), damaged)
        begin += share
        cut = own.parts(parts)
        assert len(cut) == parts
        pieces += [each for each in cut if len(each)]
    assert sum(map(len, pieces)) == len(whole)
    if len(whole):
        for compute in (ARITHMETIC.images, ARITHMETIC.labels):
            assert torch.equal(torch.cat([compute(each) for each in pieces]), compute(whole))
    # A rank without images is told by another which are damaged.
    places = tuple(sorted(each for each in damaged if each < images))
    pixels = torch.zeros(0, SIDE, SIDE, 3, dtype=torch.uint8)
    every = _batch(range(images), frozenset())
    told = every._of(pixels, every.labels, (), every.mix).without(places)
    assert torch.equal(ARITHMETIC.labels(told), ARITHMETIC.labels(whole))


def test_throw_away_batches_have_the_shapes_of_real_ones() -> None:
    for images in (1, 4, 7):
        blank, real = ARITHMETIC.blank(images, SIDE), _batch(range(images), frozenset())
        for parts in (1, 2, 3):
            assert list(map(len, blank.parts(parts))) == list(map(len, real.parts(parts)))
        assert ARITHMETIC.images(blank).shape == ARITHMETIC.images(real).shape
        assert ARITHMETIC.labels(blank).shape == ARITHMETIC.labels(real).shape


def test_mixed_images_count_as_what_they_show_most_of() -> None:
    labels = torch.tensor([[0.7, 0.3, 0.0], [0.4, 0.0, 0.6]])
    scores = torch.tensor([[2.0, 1.0, 0.0], [2.0, 1.0, 0.0]])
    assert tally(torch.tensor(1.0), scores, labels).tolist() == [1.0, 1.0, 2.0, 2.0, 1.0]
