"""The end of a step, by numbers that can be checked by hand."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from engine.plan.config import Settings
from engine.train.precision import FP32, Precision
from engine.train.updater import Updater
from tests.train.laboratory import CPU, Case, Laboratory, lay_out, network
from tests.train.proofs import spoil_first_pass

FP16 = Precision("fp16", torch.float16, scaled=True)
SLOPE = (30.0, 40.0)
"""A gradient of norm 50, whatever the weights are."""


class Line(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.zeros(2))

    def loss(self, slope: tuple[float, float] = SLOPE) -> Tensor:
        return (self.w * torch.tensor(slope)).sum()


def _updated(chosen: Precision, *slopes: tuple[float, float], clip: float | None) -> Line:
    line = Line()
    updater = Updater(line, Settings(momentum=0.0, weight_decay=0.0), chosen, CPU)
    for slope in slopes:
        torch.autograd.backward(updater.scale(line.loss(slope)))
        updater.apply(0.1, clip)
    return line


@pytest.mark.parametrize("chosen", [FP32, FP16], ids=["fp32", "fp16"])
def test_gradients_are_unscaled_then_cut_then_applied(chosen: Precision) -> None:
    cut = _updated(chosen, SLOPE, clip=5.0)
    torch.testing.assert_close(cut.w.detach(), torch.tensor([-0.3, -0.4]))
    whole = _updated(chosen, SLOPE, clip=None)
    torch.testing.assert_close(whole.w.detach(), torch.tensor([-3.0, -4.0]))
    within = _updated(chosen, SLOPE, clip=60.0)
    torch.testing.assert_close(within.w.detach(), torch.tensor([-3.0, -4.0]))


def test_a_spike_is_skipped_and_leaves_nothing_behind() -> None:
    line = _updated(FP16, (torch.inf, 0.0), SLOPE, clip=5.0)
    torch.testing.assert_close(line.w.detach(), torch.tensor([-0.3, -0.4]))


def test_a_rank_may_have_a_step_before_it_has_a_loss() -> None:
    """Where the first batch is so small that there is no image for it: its gradients are zeros."""
    line = Line()
    updater = Updater(line, Settings(momentum=0.0, weight_decay=0.0), FP16, CPU)
    torch.autograd.backward(line.loss() * 0.0)
    applied = updater.apply(0.1, None)
    assert applied is not None
    assert applied.item() == 1.0
    assert not line.w.any()


def test_the_norm_is_that_of_all_ranks() -> None:
    """Another rank holds weights of its own, with a gradient of norm 120: together 130."""
    line = Line()

    def sum_up(squares: Tensor) -> None:
        squares.add_(120.0**2)

    settings = Settings(momentum=0.0, weight_decay=0.0)
    updater = Updater(line, settings, FP32, CPU, most=None, sum_up=sum_up)
    torch.autograd.backward(line.loss())
    updater.apply(1.0, 13.0)
    torch.testing.assert_close(line.w.detach(), torch.tensor([-3.0, -4.0]))


def test_another_ranks_overflow_skips_the_step_here() -> None:
    line = Line()

    def most(found: Tensor) -> None:
        found.fill_(1.0)

    updater = Updater(line, Settings(), FP16, CPU, most=most)
    torch.autograd.backward(updater.scale(line.loss()))
    applied = updater.apply(0.1, None)
    assert applied is not None
    assert applied.item() == 0.0
    assert not line.w.any()


@pytest.mark.usefixtures("signals")
def test_a_skipped_step_does_not_advance_the_schedule(tmp_path: Path) -> None:
    """It is known eight steps later, on every machine alike."""
    laboratory = Laboratory(lay_out(tmp_path), tmp_path / "world1")
    model = network("group", torch.float32)
    spoil_first_pass(model, wanted=True)
    case = Case("single", {"precision": "fp16", "batch_size": 1}, dtype=torch.float32)
    seen = laboratory.train(case, model=model, scale=256.0, warm=False)
    laboratory.close()
    schedule = seen.schedule
    assert schedule is not None
    assert seen.rates == [schedule(step if step < 9 else step - 1) for step in range(17)]
    assert len(set(seen.rates)) == 16
