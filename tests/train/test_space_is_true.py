"""What was estimated of a checkpoint, against the file that training writes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torchvision import models

from engine.plan.config import Settings
from engine.plan.machine import ANY
from engine.plan.runs import RunPlan
from engine.plan.space import checkpoint_bytes
from engine.plan.strategies import strategy
from engine.plan.switches import combine
from engine.train.checkpoint import write
from engine.train.strategies.choose import make
from engine.train.world import ALONE
from tests.journal.saving import header

CPU = torch.device("cpu")
CLASSES = 10


@pytest.mark.parametrize(
    ("model", "settings"),
    [
        ("resnet18", {}),
        ("resnet18", {"momentum": 0.0}),
        ("resnet18", {"optimizer": "adamw", "ema": 0.99}),
        ("resnet18", {"optimizer": "adamw", "ema": 0.99, "freeze": True}),
        ("resnet50", {"ema": 0.99}),
        ("resnet50", {"freeze": True}),
    ],
    ids=str,
)
def test_the_size_of_a_checkpoint(model: str, settings: dict[str, Any], tmp_path: Path) -> None:
    chosen = strategy("single")
    base = Settings(model=model, device="cpu", weights="imagenet", **settings)
    plan = RunPlan(
        run="01-x", strategy=chosen, settings=combine(chosen, base, ANY), dataset="/data"
    )
    network: nn.Module = getattr(models, model)(num_classes=CLASSES)
    way = make(plan, ALONE)
    way.prepare(plan, network, [CPU], [1] * CLASSES)
    state = {**way.capture(), "ranks": [{"rng": torch.get_rng_state()}]}
    write(tmp_path / "last.pt", state, header(3))
    way.close()
    size = (tmp_path / "last.pt").stat().st_size
    assert checkpoint_bytes(plan, CLASSES) == pytest.approx(size, rel=0.01)
