"""Limits in steps and in time, over several attempts: nothing is trained beyond them."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.journal.events import AttemptEnded, EpochEnded, EpochStarted, Steps, Validated
from engine.plan.runs import RunPlan
from tests.train.interrupting import Interrupted
from tests.train.making import images, plan
from tests.train.nursery import Nursery


@pytest.fixture(scope="module")
def noise(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four steps an epoch, and two batches of validation."""
    return images(tmp_path_factory.mktemp("noise"), classes=5, train=5, val=2, side=32)


def _plan(dataset: Path, **settings: Any) -> RunPlan:
    return plan(dataset, **{"batch_size": 7, "epochs": 3, "lr": 0.001, **settings})


@pytest.mark.parametrize("limit", [{"max_steps": 2}, {"max_time": 1e-4}], ids=str)
def test_killed_before_it_could_say_that_it_is_done_it_says_so(
    limit: dict[str, Any], nursery: Nursery, noise: Path, tmp_path: Path
) -> None:
    run = Interrupted(nursery, tmp_path / "run", _plan(noise, **limit))
    assert run.train() == 0, run.log()
    first = run.events()[-1]
    assert run.train() == 0, run.log()
    last = run.events()[-1]
    assert isinstance(first, AttemptEnded)
    assert isinstance(last, AttemptEnded)
    assert (last.state, last.reason) == ("done", first.reason)
    assert "as asked" in last.reason
    told = (EpochStarted, EpochEnded, Validated, Steps)
    assert not [each for each in run.events() if isinstance(each, told)]


def test_a_limit_that_was_passed_already_ends_the_epoch_at_hand(
    nursery: Nursery, noise: Path, tmp_path: Path
) -> None:
    """No image comes for a further step: the next batch is one of validation."""
    run = Interrupted(nursery, tmp_path / "run", _plan(noise, save_steps=1))
    run.train(kill_after=5, delay=0.02)
    run.change(replace(run.plan, settings=replace(run.plan.settings, max_steps=5)), 1)
    assert run.train() == 0, run.log()
    assert run.train() == 0, run.log()
    outcome = run.outcome()
    assert list(outcome.epochs) == list(outcome.validations) == [0, 1]
    steps = outcome.epochs[1][0][0]
    assert sorted(outcome.steps["0 loss"]) == list(range(steps))
    assert outcome.state["step"] == steps
    assert outcome.validations[1][1] == 10


def test_what_a_killed_save_left_is_no_other_name_of_what_is_saved_next(
    nursery: Nursery, noise: Path, tmp_path: Path
) -> None:
    """A save that is killed when it has just made a second name for its checkpoint leaves it."""
    begun = _plan(noise, epochs=2, max_steps=4, backup_epochs=1)
    run = Interrupted(nursery, tmp_path / "run", begun)
    assert run.train() == 0, run.log()
    place = run.run / "checkpoints"
    kept = (place / "epoch-001.pt").read_bytes()
    os.link(place / "epoch-001.pt", place / ".last.pt.unfinished")
    run.change(replace(begun, settings=replace(begun.settings, max_steps=None)), 1)
    assert run.train() == 0, run.log()
    assert (place / "epoch-001.pt").read_bytes() == kept
    assert not (place / ".last.pt.unfinished").exists()
    assert run.outcome().state["step"] == 8
