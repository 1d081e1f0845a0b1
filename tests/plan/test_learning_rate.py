from __future__ import annotations

import math

import pytest

from engine.plan.config import Settings
from engine.plan.learning_rate import Schedule, peak, schedule, sentence, warmup_epochs


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


@pytest.mark.parametrize(
    ("settings", "images", "expected"),
    [
        (
            Settings(),
            90_000,
            "lr 0.05: warm-up 5 epochs from 0.005, cosine to 0 over 90 epochs, 31,680 steps",
        ),
        (
            Settings(lr=0.1, batch_size=1024, scale_lr=True, epochs=10, lr_floor=1e-4),
            10_000,
            "lr 0.4 = 0.1 x 1024 / 256: warm-up 1 epoch from 0.04, cosine to 0.0001 over 10 epochs,"
            " 100 steps",
        ),
        (
            Settings(warmup_epochs=0, epochs=1, max_steps=3, batch_size=10),
            100,
            "lr 0.05: cosine to 0 over 1 epoch, 10 steps, of which 3 are trained",
        ),
        (
            Settings(warmup_epochs=0, epochs=1, max_steps=1, batch_size=10),
            100,
            "lr 0.05: cosine to 0 over 1 epoch, 10 steps, of which 1 is trained",
        ),
        (
            Settings(warmup_epochs=5, epochs=1),
            100,
            "lr 0.05: warm-up 1 epoch from 0.005, 1 step",
        ),
    ],
)
def test_a_schedule_in_a_sentence(settings: Settings, images: int, expected: str) -> None:
    assert sentence(settings, images) == expected
