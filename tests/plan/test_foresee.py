"""The memory of a batch that was not tried, from those that were."""

from __future__ import annotations

import pytest

from engine.plan.config import Settings
from engine.plan.foresee import foreseen, tensors_of
from engine.plan.machine import ANY
from engine.plan.runs import RunPlan
from engine.plan.strategies import strategy
from engine.plan.switches import combine


@pytest.mark.parametrize(
    ("peaks", "tensors", "expected"),
    [
        ({}, {}, None),
        ({}, {128: 900}, 900),
        ({32: 500}, {}, None),
        # From the one that was tried on as the tensors grow.
        ({32: 500}, {32: 100, 128: 350}, 750),
        # The line through the two largest: 2 for each image.
        ({16: 70, 32: 500, 64: 564}, {}, 692),
        # Memory that fell is no reason to expect less.
        ({32: 564, 64: 500}, {}, 500),
        # Whichever says less.
        ({32: 500, 64: 564}, {64: 100, 128: 150}, 614),
        ({32: 500, 64: 564}, {64: 100, 128: 300}, 692),
    ],
)
def test_foreseen(peaks: dict[int, int], tensors: dict[int, int], expected: int | None) -> None:
    assert foreseen(128, peaks, tensors) == expected


def planned(name: str) -> RunPlan:
    chosen = strategy(name)
    settings = combine(chosen, Settings(model="resnet18", device="cpu"), ANY)
    return RunPlan(run="01", strategy=chosen, settings=settings, dataset="/data")


def test_tensors_of_all_processes() -> None:
    """Each process of ddp has weights and momentum of its own, and half of the activations."""
    one, two = planned("single"), planned("ddp")
    asked = Settings()
    single = [tensors_of(one, size, asked, 2) or 0 for size in (64, 128)]
    ddp = [tensors_of(two, size, asked, 2) or 0 for size in (64, 128)]
    assert ddp[1] - ddp[0] == single[1] - single[0]
    weights = 11_177_538  # Parameters of ResNet-18 with two classes.
    assert ddp[0] - single[0] == pytest.approx(2 * 4 * weights, rel=0.01)


def test_what_is_unknown_or_refused_is_not_foreseen() -> None:
    assert tensors_of(planned("gpipe"), 64, Settings(), 2) is None
    assert tensors_of(planned("ddp"), 1, Settings(), 2) is None
