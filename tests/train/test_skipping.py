"""With ``on_nan`` at skip, a step that is not finite leaves nothing behind, whatever it went wrong
in; several ranks are judged in ``test_equivalence.py``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from engine.errors import TrainingError
from engine.plan.config import Settings
from engine.train.loop import train_epoch
from engine.train.precision import FP32
from engine.train.updater import Updater
from tests.train import learned
from tests.train.laboratory import CPU, Case, Laboratory, lay_out, network
from tests.train.test_updater import FP16, Line

SKIP = Settings(momentum=0.0, weight_decay=0.0, on_nan="skip")


@pytest.fixture
def laboratory(tmp_path: Path, signals: None) -> Iterator[Laboratory]:
    made = Laboratory(lay_out(tmp_path), tmp_path / "world1")
    yield made
    made.close()


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("single", {}),
        ("single", {"optimizer": "sgd", "nesterov": True, "accumulate": 2}),
        ("gradient-checkpointing", {}),
        ("gpipe", {"nproc": 2, "stages": 2}),
    ],
)
def test_a_skipped_step_is_as_if_it_never_was(
    laboratory: Laboratory, name: str, settings: dict[str, object]
) -> None:
    found = learned.skipped(laboratory, name, **settings)
    assert found["applied"] == [0.0, 1.0, 1.0]
    assert found["different"] == 0
    assert found["moved"] > 60
    assert found["counted"] == 1


def test_so_many_skipped_in_a_row_end_the_run(laboratory: Laboratory) -> None:
    """17 steps of one image and no number; the tolerance is lowered to 5 of them."""
    case = Case("single", {"on_nan": "skip", "batch_size": 1}, "still")
    model = network("still")
    start = {name: each.clone() for name, each in model.state_dict().items()}
    model.get_submodule("conv1").register_forward_hook(lambda *each: each[-1] * torch.nan)
    with laboratory.prepared(case, model=model) as (job, seen):
        assert job.strategy.tolerance == 25
        job.telemetry._skips.tolerance = 5
        with pytest.raises(TrainingError, match="the loss of step 4 is not a finite number"):
            train_epoch(job, 0)
        for name, each in job.strategy.capture()["state_dict"].items():
            assert torch.equal(each, start[name])
    assert 5 <= len(seen.rates) < 17


@pytest.mark.parametrize("chosen", [FP32, FP16], ids=["fp32", "fp16"])
def test_a_loss_that_is_no_number_skips_though_its_gradient_is_one(chosen: object) -> None:
    """As the logarithm of nothing has it: the loss is infinite and the slope is not."""
    line = Line()
    updater = Updater(line, SKIP, chosen, CPU)  # type: ignore[arg-type]
    for added, wanted in ((torch.inf, 0.0), (0.0, 1.0)):
        torch.autograd.backward(updater.scale(line.loss() + added))
        applied = updater.apply(0.1, None)
        assert applied is not None
        assert applied.item() == wanted
    torch.testing.assert_close(line.w.detach(), torch.tensor([-3.0, -4.0]))


def test_a_finite_step_is_the_same_to_the_last_bit_whether_or_not_others_are_skipped() -> None:
    results = []
    for settings in (SKIP, Settings(momentum=0.0, weight_decay=0.0)):
        line = Line()
        updater = Updater(line, settings, FP32, CPU)
        torch.autograd.backward(updater.scale(line.loss((1 / 3, 1e-30)) / 7))
        updater.apply(0.1, 0.02)
        results.append(line.w.detach().clone())
        assert updater.capture()["scaler"] == {}
    assert torch.equal(*results)


class Still(nn.Module):
    """What a stage of a pipeline is in which nothing learns."""

    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.ones(2), requires_grad=False)


@pytest.mark.parametrize("elsewhere", [0.0, 1.0])
def test_a_rank_on_which_nothing_learns_decides_with_the_others(elsewhere: float) -> None:
    def most(found: Tensor) -> None:
        found.fill_(elsewhere)

    updater = Updater(Still(), SKIP, FP32, CPU, most=most, sum_up=lambda squares: None)
    applied = updater.apply(0.1, 1.0)
    assert applied is not None
    assert applied.item() == 1.0 - elsewhere
