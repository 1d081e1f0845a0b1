"""What a network is, layer by layer: known answers, and what holds whatever the numbers."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.plan.config import MODELS, Settings
from engine.plan.footprint import footprint
from engine.plan.runs import RunPlan
from engine.plan.strategies import strategy
from engine.plan.summary import summarize


def test_resnet50_has_25_6_million_parameters_and_8_2_gflop() -> None:
    found = summarize(Settings(model="resnet50", batch_size=1), 1000)
    assert found.parameters == 25_557_032
    assert found.operations == pytest.approx(8.178e9, rel=1e-3)
    assert found.training_operations == pytest.approx(24.3e9, rel=1e-3)
    assert len(found.rows) == 1 + 16 + 3
    stem = found.rows[0]
    # By hand: a 7x7 convolution of 3 colours into 64 channels with a stride of 2.
    assert (stem.name, stem.channels, stem.side) == ("stem", 64, 56)
    assert stem.parameters == 64 * 3 * 49 + 2 * 64
    assert stem.operations == 2 * 49 * 3 * 64 * 112 * 112
    images, convolved, pooled = 3 * 224 * 224, 64 * 112 * 112, 64 * 56 * 56
    assert stem.activations == 4 * (images + 2 * convolved) + 8 * pooled + 2 * 4 * 64
    last = found.rows[-1]
    assert (last.name, last.channels, last.parameters) == ("fc", 1000, 2048 * 1000 + 1000)
    assert last.operations == 2 * 2048 * 1000


@settings(max_examples=40, deadline=None)
@given(
    model=st.sampled_from(MODELS),
    image_size=st.integers(16, 400),
    batch_size=st.integers(1, 64),
    classes=st.integers(2, 2000),
)
def test_layers_add_up_to_the_memory_that_is_estimated_for_a_run(
    model: str, image_size: int, batch_size: int, classes: int
) -> None:
    asked = Settings(model=model, image_size=image_size, batch_size=batch_size)
    found = summarize(asked, classes)
    plan = RunPlan(run="", strategy=strategy("single"), settings=asked, dataset="")
    held = footprint(plan, classes)
    assert found.held == held
    assert held.activations is not None
    # The fullest moment may be that of the stem's gradients, where the network is small.
    assert found.activations <= held.activations
    assert held.activations - found.activations <= found.rows[0].activations
    assert 4 * found.parameters == held.gradients


def test_what_a_strategy_switches_changes_nothing() -> None:
    plain = summarize(Settings(), 10)
    assert plain == summarize(Settings(precision="bf16", accumulate=4, compile=True), 10)
    assert plain == summarize(Settings(freeze=True), 10)
    assert plain.activations_half < 0.55 * plain.activations
