"""Killed at any step and resumed, a training ends to the bit as one that was never interrupted.

The ranks are real processes, and SIGKILL is what ends them. A training is found to differ by its
checkpoint (weights, momentum, sums) and by its journal (every step's loss, accuracies, learning
rate and count; every epoch's and validation's sums).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.plan.runs import RunPlan
from tests.train.interrupting import Interrupted, Outcome, differences
from tests.train.making import images, plan
from tests.train.nursery import Nursery

EPOCHS, STEPS = 2, 4
"""25 images in batches of 7, 7, 7 and 4, twice. Of the last batch a world of 3 leaves ranks
one image, which is normalised by the statistics that the rank alone has."""


@dataclass(frozen=True, slots=True)
class Way:
    """A strategy, what it needs, and how many kill points it is worth."""

    strategy: str
    world: int
    more: dict[str, Any]
    examples: int

    def __str__(self) -> str:
        return f"{self.strategy}-{self.world}"


RICH: dict[str, Any] = {
    "optimizer": "adamw",
    "ema": 0.9,
    "mixup": 0.2,
    "cutmix": 0.5,
    "augment": "trivialaugment",
    "random_erasing": 0.3,
    "label_smoothing": 0.1,
    "class_weights": "balanced",
    "decay_norm": False,
    "clip_grad": 1.0,
    "on_nan": "skip",
    "resize_from": 24,
}
"""All of a recipe that could be forgotten."""

WAYS = (
    Way("single", 1, {}, 3),
    Way("ddp", 2, RICH, 1),
    # Here alone DDP sums in another order after its first backward pass.
    Way("ddp", 3, {}, 1),
    Way("gpipe", 1, {"stages": 2, "micro_batches": 2}, 1),
)


@pytest.fixture(scope="module")
def noise(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return images(tmp_path_factory.mktemp("noise"), classes=5, train=5, val=2, side=40)


@pytest.fixture(scope="module")
def wholes() -> dict[str, Outcome]:
    """Trainings that nobody interrupted, by the name of the way."""
    return {}


def _plan(dataset: Path, way: Way, save_steps: int | None = None) -> RunPlan:
    small: dict[str, Any] = {"epochs": EPOCHS, "batch_size": 7, "crop_min": 0.5, "lr": 0.001}
    nproc = way.world if way.world > 1 else None
    return plan(
        dataset,
        way.strategy,
        **{**small, "nproc": nproc, "save_steps": save_steps, **way.more},
    )


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_killed_at_any_step_it_ends_as_if_it_never_was(
    way: Way, nursery: Nursery, noise: Path, wholes: dict[str, Outcome], tmp_path: Path
) -> None:
    whole = Interrupted(nursery, tmp_path / "whole", _plan(noise, way), way.world)
    assert whole.train() == 0
    expected = whole.outcome()
    assert sorted(expected.steps["0 loss"]) == list(range(EPOCHS * STEPS))
    assert len(expected.epochs) == len(expected.validations) == EPOCHS
    number = iter(range(1000))

    @settings(
        max_examples=way.examples,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(
        kills=st.lists(st.integers(0, EPOCHS * STEPS - 1), min_size=1, max_size=2),
        delay=st.floats(0.0, 0.05),
        save_steps=st.sampled_from((None, 1, 2, 3)),
    )
    def interrupted(kills: list[int], delay: float, save_steps: int | None) -> None:
        directory = tmp_path / f"killed-{next(number)}"
        run = Interrupted(nursery, directory, _plan(noise, way, save_steps), way.world)
        for step in kills:
            run.train(kill_after=step, delay=delay)
        assert run.train() == 0, run.log()
        assert differences(run.outcome(), expected) == []

    interrupted()
