"""A step never waits for the device, nor reads a number from it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import torch

from benchmarks.no_sync import take, waits
from benchmarks.real_loop import real_loop
from engine.train.job import Job
from engine.train.telemetry import Telemetry

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
STEPS = 10 if DEVICE == "cuda" else 3
"""Every one of them makes the same calls, and a CPU makes them slowly."""


@pytest.fixture
def job(tmp_path: Path) -> Iterator[Job]:
    with real_loop(tmp_path, DEVICE, batch_size=4, side=32) as made:
        yield made


def test_steps_of_the_real_loop_read_nothing_from_the_device(job: Job) -> None:
    found, seen = waits(job, STEPS)
    assert not found
    assert seen > 300 * STEPS  # the profile saw the steps


def test_nor_do_those_of_mixed_images_that_may_be_skipped_and_are_averaged(tmp_path: Path) -> None:
    settings: dict[str, Any] = {
        # On a CPU its kernel reads its own count of steps; on a GPU it does not.
        "optimizer": "adamw" if DEVICE == "cuda" else "sgd",
        "decay_norm": False,
        "ema": 0.99,
        "on_nan": "skip",
        "clip_grad": 1.0,
        "mixup": 0.2,
        "cutmix": 1.0,
        "label_smoothing": 0.1,
        "class_weights": "balanced",
    }
    with real_loop(tmp_path, DEVICE, batch_size=4, side=32, **settings) as job:
        assert job.strategy.tolerance > 1
        found, seen = waits(job, 1 if DEVICE == "cpu" else STEPS)
    assert not found
    assert seen > 300


def test_a_step_that_does_is_found_out(job: Job) -> None:
    real = Telemetry.end

    def reading(telemetry: Telemetry, tally: torch.Tensor, applied: torch.Tensor | None) -> None:
        assert tally[0].item() >= 0
        real(telemetry, tally, applied)

    with patch.object(Telemetry, "end", reading):
        found, _ = waits(job, 1)
    assert found["aten::item"] == 1


@pytest.mark.skipif(DEVICE == "cpu", reason="there is no GPU here that a step could wait for")
def test_torch_itself_finds_no_step_that_waits(job: Job) -> None:
    job.telemetry.begin_epoch()
    take(job, 5)
    torch.cuda.set_sync_debug_mode("error")
    try:
        take(job, 10)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    job.telemetry.finish_epoch()
