"""Whether a disk has room for the checkpoints of a training, before it starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.plan import space
from engine.plan.config import Settings
from engine.plan.runs import RunPlan, plan_runs
from engine.plan.strategies import strategy
from engine.run import disk
from tests.plan.machines import CPU


def _plans(**settings: int | float) -> tuple[RunPlan, ...]:
    made = Settings(device="cpu", epochs=90, batch_size=32, **settings)  # type: ignore[arg-type]
    return plan_runs(Path("/data"), made, (strategy("single"),), CPU)


def test_a_short_training_is_not_refused_for_epochs_that_it_cannot_have(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (plan,) = _plans()
    room = 4 * space.checkpoint_bytes(plan, 10)
    monkeypatch.setattr(disk, "free_bytes", lambda _: room)
    assert "--backup-epochs 0" in disk.too_little(tmp_path, (plan,), 10, images=100)
    assert disk.too_little(tmp_path, _plans(max_steps=40), 10, images=100) == ""
    assert disk.too_little(tmp_path, _plans(max_steps=10), 10) == ""
    assert disk.too_little(tmp_path, _plans(max_time=60.0), 10, images=100) == ""
    monkeypatch.setattr(disk, "free_bytes", lambda _: room // 2)
    assert disk.too_little(tmp_path, _plans(max_steps=1), 10, images=100), (
        "the first two do not fit"
    )
