from __future__ import annotations

import math

import pytest

from engine.plan.config import Settings
from engine.plan.learning_rate import Schedule, peak, schedule, warmup_epochs


def test_the_schedule_is_its_closed_form() -> None:
    made = Schedule(peak=0.4, warmup_steps=4, total_steps=12, start=0.1)
    warm = [0.04, 0.13, 0.22, 0.31]
    cosine = [0.2 * (1 + math.cos(math.pi * k / 8)) for k in range(8)]
    assert [made(step) for step in range(12)] == pytest.approx(warm + cosine, abs=1e-15)
    assert made(4) == 0.4
    assert made(8) == pytest.approx(0.2)
    assert made(12) == 0.0
    assert made(1000) == 0.0


def test_the_cosine_ends_at_its_floor() -> None:
    made = Schedule(peak=0.4, warmup_steps=0, total_steps=8, floor=0.1)
    cosine = [0.1 + 0.15 * (1 + math.cos(math.pi * k / 8)) for k in range(9)]
    assert [made(step) for step in range(9)] == pytest.approx(cosine, abs=1e-15)
    assert Schedule(peak=0.1, warmup_steps=0, total_steps=8, floor=5.0)(8) == 0.1


def test_without_warm_up_it_starts_at_the_peak() -> None:
    assert Schedule(peak=0.1, warmup_steps=0, total_steps=10)(0) == 0.1


def test_a_limit_on_steps_cuts_the_schedule_and_does_not_compress_it() -> None:
    long = schedule(Settings(epochs=90), 100)
    cut = schedule(Settings(epochs=90, max_steps=20), 100)
    wanted = Schedule(peak=0.05, warmup_steps=500, total_steps=9000, start=0.1)
    assert long == cut == wanted
    assert long(0) == pytest.approx(0.005)


def test_a_short_training_warms_up_for_a_tenth_of_it_unless_told() -> None:
    assert warmup_epochs(Settings(epochs=90)) == 5.0
    assert warmup_epochs(Settings(epochs=30)) == 3.0
    assert warmup_epochs(Settings(epochs=3)) == pytest.approx(0.3)
    assert warmup_epochs(Settings(epochs=3, warmup_epochs=2.5)) == 2.5


def test_a_warm_up_longer_than_the_training_only_warms_up() -> None:
    made = schedule(Settings(epochs=1, lr=0.05, warmup_epochs=5, warmup_start=0.0), 10)
    assert [made(step) for step in range(10)] == pytest.approx([0.005 * k for k in range(10)])


def test_a_scaled_learning_rate_follows_the_global_batch() -> None:
    assert peak(Settings(lr=0.1, batch_size=1024)) == 0.1
    assert peak(Settings(lr=0.1, batch_size=1024, scale_lr=True)) == pytest.approx(0.4)
    assert peak(Settings(lr=0.1, batch_size=64, scale_lr=True)) == pytest.approx(0.025)
