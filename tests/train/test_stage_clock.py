from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import torchgpipe
from torch import nn

from engine.journal.events import StagesMeasured
from engine.train.arithmetic import arithmetic
from engine.train.stage import Stage
from engine.train.stage_clock import StageClock
from tests.train.making import plan
from tests.train.staging import CPU, Nap

NAP = 0.02
MICRO_BATCHES = 4


def _measured(recompute: str, naps: tuple[float, ...]) -> StagesMeasured:
    """One step of a gpipe whose stages sleep."""
    clock = StageClock(range(len(naps)), [CPU] * len(naps))
    made = arithmetic(plan(Path("unused")), Nap(0.0), CPU)
    stages: list[nn.Module] = [
        Stage(
            nn.Sequential(Nap(each)),
            number,
            made,
            clock.busy[number],
            needs_company=False,
            recomputing=torchgpipe.is_recomputing,
        )
        for number, each in enumerate(naps)
    ]
    network: Any = torchgpipe.GPipe(
        nn.Sequential(*stages),
        [1] * len(naps),
        devices=["cpu"] * len(naps),
        chunks=MICRO_BATCHES,
        checkpoint=recompute,
    )
    clock.steps.begin()
    network(torch.zeros(8, 2)).sum().backward()
    clock.steps.end()
    return clock.measured(3, 7)


@pytest.mark.parametrize(
    ("recompute", "naps"),
    # Forward once, backward twice as long; activations once more for each that is recomputed.
    [("never", 4 * 3), ("except_last", 4 * 3 + 3), ("always", 4 * 4)],
)
def test_stages_are_busy_while_they_compute_forward_backward_and_again(
    recompute: str, naps: int
) -> None:
    event = _measured(recompute, (NAP, 2 * NAP))
    assert event.busy == pytest.approx((naps * NAP, 2 * naps * NAP), rel=0.15)
    assert (event.epoch, event.step, event.stages) == (3, 7, (0, 1))


def test_stages_that_share_a_device_idle_half_of_the_time() -> None:
    event = _measured("never", (NAP, NAP))
    assert 1 - sum(event.busy) / (2 * event.seconds) == pytest.approx(0.5, abs=0.05)


def test_an_epoch_is_measured_by_itself_and_validation_not_at_all() -> None:
    clock = StageClock((0,), (CPU,))
    made = arithmetic(plan(Path("unused")), Nap(0.0), CPU)
    stage = Stage(nn.Sequential(Nap(NAP)), 0, made, clock.busy[0], needs_company=False)
    stage(torch.zeros(2, 2)).sum().backward()
    assert clock.measured(0, 1).busy[0] == pytest.approx(3 * NAP, rel=0.3)
    with torch.no_grad():
        stage.eval()(torch.zeros(2, 2))
    event = clock.measured(1, 2)
    assert event.busy == (0.0,)
    assert event.seconds == 0.0
    assert event.peak_bytes == (None,)
