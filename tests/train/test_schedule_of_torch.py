"""The schedules that are drawn are the ones by which torchgpipe and torch train."""

from __future__ import annotations

from typing import Any

import pytest
from torch import nn
from torch.distributed.pipelining.schedules import Schedule1F1B, ScheduleGPipe
from torchgpipe.pipeline import clock_cycles as clock_cycles_of_torchgpipe

from engine.plan.schedule import clock_cycles, schedule

SIZES = [(n, m) for n in (1, 2, 3, 5) for m in (1, 2, 3, 4, 8, 11)]


class Stage:
    """Notes what torch's schedule makes a stage do; it computes and sends nothing."""

    def __init__(self, index: int, of: int) -> None:
        self.stage_index, self.num_stages = index, of
        self.is_last = index == of - 1
        self.has_backward = True
        self.submod = nn.Identity()
        self.done: list[str] = []

    def forward_one_chunk(self, micro_batch: int, *_: Any, **__: Any) -> None:
        self.done.append(f"F{micro_batch}")

    def backward_one_chunk(self, micro_batch: int, **_: Any) -> None:
        self.done.append(f"B{micro_batch}")

    def __getattr__(self, name: str) -> Any:
        """Whatever else it is asked for, such as what to send: nothing."""
        return lambda *_, **__: []


def order_of_torch(
    kind: type[ScheduleGPipe | Schedule1F1B], n: int, m: int, monkeypatch: pytest.MonkeyPatch
) -> list[str]:
    """What torch's own loop does on each stage; its list for printing (1F1B) errs on the last."""
    monkeypatch.setattr(kind, "_initialize_stage", lambda *_: None)
    orders = []
    for index in range(n):
        stage = Stage(index, n)
        made: Any = kind(stage, m)  # type: ignore[arg-type]
        made._step_microbatches()
        orders.append(" ".join(stage.done))
    return orders


@pytest.mark.parametrize(("n", "m"), SIZES)
def test_clock_cycles_are_torchgpipes(n: int, m: int) -> None:
    assert [list(tasks) for tasks in clock_cycles(n, m)] == list(clock_cycles_of_torchgpipe(m, n))


@pytest.mark.parametrize(("n", "m"), SIZES)
def test_gpipe_is_torchs(n: int, m: int, monkeypatch: pytest.MonkeyPatch) -> None:
    made = schedule("gpipe", n, m, last_first=False)
    drawn = [" ".join(f"{op.direction}{op.micro_batch}" for op in row) for row in made.orders]
    assert drawn == order_of_torch(ScheduleGPipe, n, m, monkeypatch)


@pytest.mark.parametrize(("n", "m"), [(n, m) for n, m in SIZES if m >= n])
def test_1f1b_is_torchs(n: int, m: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """torch asks for as many micro-batches as stages, at least."""
    made = schedule("1f1b", n, m)
    drawn = [" ".join(f"{op.direction}{op.micro_batch}" for op in row) for row in made.orders]
    assert drawn == order_of_torch(Schedule1F1B, n, m, monkeypatch)
