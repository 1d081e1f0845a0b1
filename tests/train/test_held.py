from __future__ import annotations

from dataclasses import replace

import pytest
from torch import nn

from engine.plan.config import Settings
from engine.train.held import held
from engine.train.optim import groups, optimizer


@pytest.mark.parametrize(("momentum", "state"), [(0.9, 1), (0.0, 0)])
def test_what_is_held_whatever_the_batch(momentum: float, state: int) -> None:
    network = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Linear(10, 4))
    learned = 4 * ((3 * 8 * 9 + 8) + 2 * 8 + (10 * 4 + 4))
    buffers = 4 * 2 * 8 + 8  # running means and variances, and an int64 that counts
    settings = replace(Settings(), momentum=momentum)
    made = optimizer(groups(network, settings), settings)
    assert held(network, made) == {
        "weights": learned + buffers,
        "gradients": learned,
        "optimizer": state * learned,
    }
