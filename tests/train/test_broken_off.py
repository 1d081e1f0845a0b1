"""An epoch that a limit breaks off is gone on with where it was broken off, to the bit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from engine.journal.checkpoints import read_header
from engine.journal.events import EpochStarted, Steps, Validated
from engine.plan.runs import RunPlan
from tests.train.interrupting import Interrupted, differences
from tests.train.making import images, plan
from tests.train.nursery import Nursery


@pytest.fixture(scope="module")
def noise(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """25 images in batches of 7, 7, 7 and 4."""
    return images(tmp_path_factory.mktemp("noise"), classes=5, train=5, val=2, side=40)


def _plan(dataset: Path, name: str = "single", **settings: Any) -> RunPlan:
    return plan(dataset, name, **{"batch_size": 7, "epochs": 2, "lr": 0.001, **settings})


def _limited(made: RunPlan, **limits: Any) -> RunPlan:
    return replace(made, settings=replace(made.settings, **limits))


@pytest.mark.parametrize("limits", [(2,), (1, 3, 6), (4, 5)], ids=str)
def test_with_a_higher_limit_it_ends_as_if_it_had_it_from_the_start(
    limits: tuple[int, ...], nursery: Nursery, noise: Path, tmp_path: Path
) -> None:
    made = _plan(noise, ema=0.9, mixup=0.2, momentum=0.9)
    whole = Interrupted(nursery, tmp_path / "whole", made)
    assert whole.train() == 0, whole.log()
    run = Interrupted(nursery, tmp_path / "run", made)
    for limit in limits:
        run.change(_limited(made, max_steps=limit), 1)
        assert run.train() == 0, run.log()
        assert run.outcome().state["step"] == limit
    run.change(made, 1)
    assert run.train() == 0, run.log()
    expected = whole.outcome()
    assert sorted(expected.steps["0 loss"]) == list(range(8))
    assert differences(run.outcome(), expected) == []


def test_ranks_go_on_together_after_a_limit_in_time(
    nursery: Nursery, noise: Path, tmp_path: Path
) -> None:
    made = _plan(noise, "ddp", nproc=2)
    whole = Interrupted(nursery, tmp_path / "whole", made, 2)
    assert whole.train() == 0, whole.log()
    run = Interrupted(nursery, tmp_path / "run", _limited(made, max_time=1e-4), 2)
    assert run.train() == 0, run.log()
    assert run.outcome().state["step"] == 1
    run.change(made, 2)
    assert run.train() == 0, run.log()
    assert differences(run.outcome(), whole.outcome()) == []


def test_what_is_broken_off_says_so_and_is_validated_once(
    nursery: Nursery, noise: Path, tmp_path: Path
) -> None:
    run = Interrupted(nursery, tmp_path / "run", _plan(noise, max_steps=6))
    assert run.train() == 0, run.log()
    last = run.run / "checkpoints" / "last.pt"
    header = read_header(last)
    assert (header.epoch, header.step_in_epoch, header.step) == (1, 2, 6)
    (first, second) = [each for each in run.events() if isinstance(each, Validated)]
    best = max(first.top1, second.top1) / 10
    assert header.best_acc == best
    state = torch.load(last, weights_only=True)
    assert state["best_acc"] == best
    assert state["broken_off"] == {"best_acc": first.top1 / 10, "best_epoch": 0}
    # With the same limit nothing is left to do.
    assert run.train() == 0, run.log()
    told = (EpochStarted, Steps, Validated)
    assert not [each for each in run.events() if isinstance(each, told)]
