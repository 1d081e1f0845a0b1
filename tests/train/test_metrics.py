from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from engine.train.metrics import add_up, nothing, tally


def _by_hand(logits: np.ndarray, labels: np.ndarray) -> tuple[float, int, int]:
    """Loss and hits in float64, image by image."""
    loss, top1, top5 = 0.0, 0, 0
    for row, label in zip(logits.astype(np.float64), labels, strict=True):
        loss += math.log(sum(math.exp(value) for value in row)) - row[label]
        better = sum(value > row[label] for value in row)
        top1 += better == 0
        top5 += better < 5
    return loss, top1, top5


@pytest.mark.parametrize("classes", [2, 5, 11])
def test_sums_are_exact_over_an_uneven_last_batch(classes: int) -> None:
    generator = np.random.default_rng(3)
    logits = generator.normal(size=(16 + 16 + 5, classes)).astype(np.float32)
    labels = generator.integers(0, classes, 37)
    tallies = []
    for part in (slice(0, 16), slice(16, 32), slice(32, 37)):
        scores, truth = torch.from_numpy(logits[part]), torch.from_numpy(labels[part])
        tallies.append(tally(cross_entropy(scores, truth, reduction="sum"), scores, truth))
    sums = add_up([*tallies, nothing(torch.device("cpu"))])
    loss, top1, top5 = _by_hand(logits, labels)
    assert sums.images == 37
    assert (sums.top1, sums.top5) == (top1, top5)
    assert sums.loss_sum == pytest.approx(loss, rel=1e-6)
    assert sums.accuracy == top1 / 37
    assert sums.finite
    if classes <= 5:
        assert sums.top5 == 37


def test_a_loss_that_is_no_number_is_told() -> None:
    logits = torch.tensor([[math.nan, 1.0], [0.0, 1.0]])
    truth = torch.tensor([0, 1])
    bad = tally(cross_entropy(logits, truth, reduction="sum"), logits, truth)
    assert not add_up([bad]).finite


def test_no_batches_add_up_to_nothing() -> None:
    sums = add_up([])
    assert sums.images == 0
    assert math.isnan(sums.accuracy)
