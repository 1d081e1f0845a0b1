"""What training minimises, against arithmetic that is written out and against torch's own."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn.functional import cross_entropy, one_hot

from engine.plan.config import Settings
from engine.train.objective import Objective, balanced, objective

CPU = torch.device("cpu")


def test_rare_classes_weigh_as_much_as_common_ones() -> None:
    # scikit-learn: n_samples / (n_classes * np.bincount(y)).
    assert balanced([6, 3, 1]) == pytest.approx([10 / 18, 10 / 9, 10 / 3])
    counts = [90, 9, 0, 1]
    weights = balanced(counts)
    assert weights[2] == 0.0
    assert sum(n * w for n, w in zip(counts, weights, strict=True)) == pytest.approx(100)
    assert [n * w for n, w in zip(counts, weights, strict=True) if n] == pytest.approx(
        [100 / 3] * 3
    )


def test_a_smoothed_and_weighted_loss_by_hand() -> None:
    """Logits log 2, 0, 0 make probabilities 1/2, 1/4, 1/4."""
    logits = torch.tensor([[math.log(2), 0.0, 0.0]])
    told = Objective(0.3, torch.tensor([3.0, 1.0, 0.5]))(logits, torch.tensor([0]))[1]
    # The label has 0.8, the others 0.1 each.
    by_hand = 0.8 * 3.0 * math.log(2) + 0.1 * 1.0 * math.log(4) + 0.1 * 0.5 * math.log(4)
    assert float(told) == pytest.approx(by_hand, rel=1e-6)
    assert float(Objective()(logits, torch.tensor([1]))[1]) == pytest.approx(math.log(4))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_it_is_torchs_sum_for_labels_and_for_shares(smoothing: float, weighted: bool) -> None:
    generator = torch.Generator().manual_seed(2)
    logits = torch.randn(9, 4, generator=generator, dtype=torch.float64)
    labels = torch.randint(0, 4, (9,), generator=generator)
    made = objective(
        Settings(label_smoothing=smoothing, class_weights="balanced" if weighted else "none"),
        [5, 1, 3, 7],
        CPU,
    )
    weights = torch.tensor(balanced([5, 1, 3, 7])) if weighted else None
    weights = None if weights is None else weights.double()
    shares = torch.rand(9, 4, generator=generator).softmax(dim=1)
    for targets in (labels, one_hot(labels, 4).float(), shares):
        wanted = targets.double() if targets.is_floating_point() else targets
        theirs = cross_entropy(
            logits, wanted, weight=weights, label_smoothing=smoothing, reduction="sum"
        )
        torch.testing.assert_close(made(logits, targets)[1], theirs, rtol=1e-7, atol=0.0)
    # Labels as shares of one class are the same.
    one, other = made(logits, labels)[1], made(logits, one_hot(labels, 4).double())[1]
    torch.testing.assert_close(one, other)


def test_half_precision_is_added_up_in_32_bits() -> None:
    logits, loss = Objective(0.1)(torch.zeros(2, 4, dtype=torch.bfloat16), torch.tensor([0, 3]))
    assert (logits.dtype, loss.dtype) == (torch.float32, torch.float32)
    assert float(loss) == pytest.approx(2 * math.log(4))
