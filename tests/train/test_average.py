"""Averaged weights, beside torch's own average and beside arithmetic that is written out; several
ranks are judged in ``test_equivalence.py``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from engine.plan.config import Settings
from engine.train.average import Average, average, followed
from engine.train.evaluating import evaluate
from engine.train.freeze import freeze
from engine.train.loop import train_epoch
from tests.train import learned
from tests.train.laboratory import Case, Laboratory, Trained, lay_out, network

DECAY = 0.9


@pytest.fixture
def laboratory(tmp_path: Path, signals: None) -> Iterator[Laboratory]:
    made = Laboratory(lay_out(tmp_path), tmp_path / "world1")
    yield made
    made.close()


def _disturb(model: nn.Module, generator: torch.Generator) -> None:
    with torch.no_grad():
        for each in followed(model).values():
            each.add_(torch.randn(each.shape, generator=generator, dtype=each.dtype))


def test_it_is_torchs_exponential_average_of_weights_and_statistics() -> None:
    """As torchvision's references make it, begun with the weights before the first step."""
    model, generator = network("batch"), torch.Generator().manual_seed(3)
    rule = get_ema_multi_avg_fn(DECAY)  # type: ignore[no-untyped-call]
    theirs = AveragedModel(model, multi_avg_fn=rule, use_buffers=True)
    theirs.update_parameters(model)  # Their first time is a copy.
    ours = Average(followed(model), DECAY)
    for _ in range(5):
        _disturb(model, generator)
        theirs.update_parameters(model)
        ours.follow(None)
    wanted, values = dict(theirs.module.state_dict()), ours.values()
    counters = {name for name in wanted if name.endswith("num_batches_tracked")}
    assert values.keys() == wanted.keys() - counters
    for name, each in values.items():
        torch.testing.assert_close(each, wanted[name], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_step_that_was_skipped_is_none_of_it(dtype: torch.dtype) -> None:
    weight = torch.tensor([1.0, -2.0], dtype=dtype)
    made = Average({"w": weight}, 0.75)
    wanted = weight.clone()
    for value, applied in ((5.0, 1.0), (7.0, 0.0), (9.0, 1.0), (-3.0, 0.0)):
        weight.fill_(value)
        before = made.values()["w"].clone()
        made.follow(torch.tensor(applied))
        if applied:
            wanted = 0.75 * wanted + 0.25 * value
        else:
            assert torch.equal(made.values()["w"], before)
    torch.testing.assert_close(made.values()["w"], wanted)


def test_weights_are_back_to_the_last_bit_however_often_they_are_asked_for() -> None:
    weight = torch.randn(1000, generator=torch.Generator().manual_seed(1))
    made = Average({"w": weight}, DECAY)
    weight.mul_(1.0 / 3.0)
    made.follow(None)
    trained, averaged = weight.clone(), made.values()["w"].clone()
    made.take_out()
    for _ in range(2):
        made.put_in()
        made.put_in()
        assert torch.equal(weight, averaged)
        made.take_out()
        made.take_out()
        assert torch.equal(weight, trained)
        assert torch.equal(made.values()["w"], averaged)


def test_of_a_frozen_network_the_classifier_alone_is_averaged() -> None:
    settings = Settings(ema=DECAY, freeze=True)
    model = network("batch")
    freeze(model, settings)
    made = average(model, settings)
    assert made is not None
    assert set(made.values()) == {"fc.weight", "fc.bias"}
    assert made.nbytes == sum(each.nbytes for each in model.get_submodule("fc").parameters())
    assert average(model, Settings()) is None


@pytest.mark.parametrize(
    ("name", "settings"), [("single", {}), ("gpipe", {"nproc": 2, "stages": 2})]
)
def test_a_run_in_one_process_goes_on_to_the_last_bit(
    laboratory: Laboratory, name: str, settings: dict[str, Any]
) -> None:
    found = learned.gone_on(laboratory, name, _last, **settings)
    assert found["different"] == 0
    assert found["moved"] > 100
    assert found["averaged apart"] > 30
    assert found["keys"]


@pytest.mark.parametrize(
    ("name", "settings"), [("single", {}), ("gpipe", {"nproc": 2, "stages": 2})]
)
def test_averaged_weights_are_validated(
    laboratory: Laboratory, name: str, settings: dict[str, Any]
) -> None:
    found = learned.validated(laboratory, name, **settings)
    assert found["averaged"] == found["trained"] == [0, 0]
    assert found["moved"] > 60


def test_the_average_of_steps_is_written_out(laboratory: Laboratory) -> None:
    """Of real steps, with moving statistics; it loads where torchvision's weights do. A checkpoint
    without it begins it anew with its weights."""
    case = Case("single", {"ema": DECAY}, "batch")
    start = {name: each.clone() for name, each in network("batch").state_dict().items()}
    seen = laboratory.train(case)
    wanted: dict[str, Tensor] = start
    for state in seen.states:
        weights = state["state_dict"]
        wanted = {
            name: DECAY * each + (1 - DECAY) * weights[name]
            if each.is_floating_point()
            else weights[name]
            for name, each in wanted.items()
        }
    state = seen.states[-1]
    for name, each in state["ema"].items():
        torch.testing.assert_close(each, wanted[name], rtol=1e-12, atol=1e-12)
    network("batch").load_state_dict(state["ema"], strict=True)
    with laboratory.prepared(case) as (job, _):
        job.strategy.restore({key: each for key, each in state.items() if key != "ema"})
        again = job.strategy.capture()
        for name, each in again["ema"].items():
            assert torch.equal(each, state["state_dict"][name])


@pytest.mark.parametrize("stopped", [False, True])
def test_training_goes_on_with_its_own_weights_after_a_validation(
    laboratory: Laboratory, stopped: bool
) -> None:
    """Also where somebody asked to stop in the middle of it: what is saved then is the state."""
    with laboratory.prepared(Case("single", {"ema": DECAY}, "batch")) as (job, seen):
        train_epoch(job, 0)
        if stopped:
            job.stop.requested = True
        assert (evaluate(job, 0) is None) == stopped
        assert learned.different(job.strategy.capture(), seen.states[-1]) == 0


def _last(seen: Trained) -> dict[str, Any]:
    return seen.states[-1]
