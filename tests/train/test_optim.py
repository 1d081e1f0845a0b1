from __future__ import annotations

import math

import pytest

from engine.plan.config import Settings
from engine.train.optim import Schedule, schedule


def test_the_schedule_is_its_closed_form() -> None:
    made = Schedule(peak=0.4, warmup_steps=4, total_steps=12)
    warm = [0.1, 0.2, 0.3, 0.4]
    cosine = [0.2 * (1 + math.cos(math.pi * k / 8)) for k in range(8)]
    assert [made(step) for step in range(12)] == pytest.approx(warm + cosine, abs=1e-15)
    assert made(4) == 0.4
    assert made(8) == pytest.approx(0.2)
    assert made(12) == 0.0
    assert made(1000) == 0.0


def test_without_warm_up_it_starts_at_the_peak() -> None:
    assert Schedule(peak=0.1, warmup_steps=0, total_steps=10)(0) == 0.1


def test_a_limit_on_steps_cuts_the_schedule_and_does_not_compress_it() -> None:
    long = schedule(Settings(epochs=10, lr=0.05), 100)
    cut = schedule(Settings(epochs=10, lr=0.05, max_steps=20), 100)
    assert long == cut == Schedule(peak=0.05, warmup_steps=50, total_steps=1000)


def test_a_warm_up_longer_than_the_training_only_warms_up() -> None:
    made = schedule(Settings(epochs=1, lr=0.05, warmup_epochs=5), 10)
    assert [made(step) for step in range(10)] == pytest.approx([0.005 * k for k in range(1, 11)])
