"""A frozen backbone: only the classifier learns, and statistics stay; for every strategy that can
it is proven in ``test_equivalence.py`` that it trains so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from engine.plan.config import Settings
from engine.train import norm
from engine.train.freeze import freeze, is_still, learned
from engine.train.model import build
from tests.train.laboratory import Case, Laboratory, Narrow, lay_out, network

FROZEN = Settings(freeze=True)


@pytest.fixture
def laboratory(tmp_path: Path, signals: None) -> Iterator[Laboratory]:
    made = Laboratory(lay_out(tmp_path), tmp_path / "world1")
    yield made
    made.close()


def test_so_many_parameters_are_trained() -> None:
    model, _ = build(Settings(model="resnet18"), 7)
    assert learned(model, FROZEN) == 512 * 7 + 7
    assert learned(model, Settings()) == sum(each.numel() for each in model.parameters())
    freeze(model, FROZEN)
    assert {name for name, each in model.named_parameters() if each.requires_grad} == {
        "fc.weight",
        "fc.bias",
    }


def test_normalisation_is_that_of_validation_however_it_is_asked_for() -> None:
    model = network("batch", torch.float32)
    for each in norm.norms(model):
        assert each.running_mean is not None
        each.running_mean.uniform_(-0.5, 0.5)
    keys = list(model.state_dict())
    images = torch.randn(4, 3, 64, 64)
    wanted = model.eval()(images)
    freeze(model, FROZEN)
    norm.defer(model)
    model.train()
    with norm.frozen(model):
        pass
    assert torch.equal(model(images), wanted)
    norm.commit(model)
    assert all(is_still(each) and not each.training for each in norm.norms(model))
    assert list(model.state_dict()) == keys
    assert int(model.state_dict()["bn1.num_batches_tracked"]) == 0


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("single", {}),
        ("single", {"optimizer": "adamw", "weight_decay": 0.1, "ema": 0.5, "accumulate": 2}),
        ("gradient-checkpointing", {}),
        ("amp", {"precision": "bf16"}),
        ("amp", {"precision": "fp16", "on_nan": "skip"}),
        ("gpipe", {"nproc": 2, "stages": 2, "micro_batches": 2}),
    ],
)
def test_nothing_but_the_classifier_changes(
    laboratory: Laboratory, name: str, settings: dict[str, Any]
) -> None:
    case = Case(name, {"freeze": True, **settings}, "batch", dtype=torch.float32)
    start = network("batch", torch.float32).state_dict()
    seen = laboratory.train(case)
    state = seen.states[-1]
    for weights in (state["state_dict"], state.get("ema", state["state_dict"])):
        changed = {key for key, each in weights.items() if not torch.equal(each, start[key])}
        assert changed == {"fc.weight", "fc.bias"}
    assert set(state["optimizer"]["state"]) == {"fc.weight", "fc.bias"}


def test_a_frozen_pass_keeps_nothing_of_the_backbone(laboratory: Laboratory) -> None:
    with laboratory.prepared(Case("single", {"freeze": True}, "batch")) as (job, _):
        held = job.strategy.held()
        head = sum(each.nbytes for each in network("batch").get_submodule("fc").parameters())
        assert (held["gradients"], held["optimizer"]) == (head, head)
        logits = job.strategy._network(torch.randn(2, 3, 32, 32).double())  # type: ignore[attr-defined]
    seen: list[str] = []
    _walk(logits.grad_fn, seen)
    assert "ConvolutionBackward0" not in seen
    assert "AddmmBackward0" in seen


@pytest.mark.parametrize("name", ["resnet18", "resnet50"])
def test_blocks_add_nothing_at_first_where_weights_are_drawn(name: str, tmp_path: Path) -> None:
    plain, _ = build(Settings(model=name), 3)
    zeroed, told = build(Settings(model=name, zero_init=True), 3)
    last = "bn3.weight" if name == "resnet50" else "bn2.weight"
    assert told == []
    for key, each in zeroed.state_dict().items():
        if key.endswith(last):
            assert not each.any()
        else:
            assert torch.equal(each, plain.state_dict()[key])
    saved = tmp_path / "weights.pt"
    torch.save(plain.state_dict(), saved)
    loaded, _ = build(Settings(model=name, zero_init=True, weights=str(saved)), 3)
    for key, each in loaded.state_dict().items():
        assert torch.equal(each, plain.state_dict()[key])


def _walk(node: Any, seen: list[str]) -> None:
    if node is not None:
        seen.append(type(node).__name__)
        for each, _ in node.next_functions:
            _walk(each, seen)


def test_a_network_that_learns_whole_is_left_alone() -> None:
    model = Narrow()
    kinds = [type(each) for each in model.modules()]
    freeze(model, Settings())
    assert [type(each) for each in model.modules()] == kinds
    assert all(each.requires_grad for each in model.parameters())
    assert isinstance(model.bn1, nn.BatchNorm2d)
