"""Finished steps for tests of what observes them."""

from __future__ import annotations

import math

from engine.journal.step_columns import DEVICE_PARTS, HOST_PARTS
from engine.train.clocks import Timing
from engine.train.rows import Loading, Row


def row(
    step: int = 0,
    seconds: float = 1.0,
    *,
    wait: float = 0.0,
    starved: float = math.nan,
    loss: float = 1.0,
    finite: bool = True,
    loading: Loading | None = None,
) -> Row:
    host = tuple(wait if part == "wait" else math.nan for part in HOST_PARTS)
    device = tuple(starved if part == "starved" else math.nan for part in DEVICE_PARTS)
    return Row(
        step=step,
        lr=0.1,
        loss_sum=loss,
        top1=0.0,
        top5=0.0,
        images=8.0,
        finite=finite,
        timing=Timing(0.0, seconds, host, device),
        loading=loading or Loading(),
    )
