"""Pipeline schedules: which stage works on which micro-batch, and in which clock cycle. Pure.

Stages and micro-batches count from 0. Every operation takes one cycle; a real backward takes
longer than a forward, which stretches the drawing and leaves the bubble's share as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Kind = Literal["gpipe", "1f1b"]
Direction = Literal["F", "B"]


@dataclass(frozen=True, slots=True)
class Op:
    """A stage computes the forward (F) or the backward (B) of one micro-batch."""

    direction: Direction
    micro_batch: int


Order = tuple[Op, ...]
"""What one stage does, one operation after another."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """One optimiser step of a pipeline."""

    kind: Kind
    stages: int
    micro_batches: int
    orders: tuple[Order, ...]
    """Of each stage."""
    grid: tuple[tuple[Op | None, ...], ...]
    """Of each stage, cycle by cycle; ``None`` where it idles."""

    @property
    def cycles(self) -> int:
        return len(self.grid[0])

    @property
    def idle_share(self) -> float:
        """Idle cycles over all, the whole grid taken together."""
        idle = sum(row.count(None) for row in self.grid)
        return idle / (self.stages * self.cycles)

    @property
    def held(self) -> tuple[int, ...]:
        """Micro-batches whose activations each stage keeps at once, at most."""
        return tuple(_most_held(order) for order in self.orders)


def bubble(stages: int, micro_batches: int) -> float:
    """The share of time in which a stage idles where all take equally long: (n-1)/(m+n-1)."""
    _check(stages, micro_batches)
    return (stages - 1) / (micro_batches + stages - 1)


def clock_cycles(stages: int, micro_batches: int) -> Iterator[tuple[tuple[int, int], ...]]:
    """GPipe's forward: cycle k runs (micro-batch i, stage j) wherever i + j = k."""
    _check(stages, micro_batches)
    for cycle in range(micro_batches + stages - 1):
        first = max(0, cycle - micro_batches + 1)
        last = min(cycle, stages - 1)
        yield tuple((cycle - stage, stage) for stage in range(first, last + 1))


def schedule(kind: Kind, stages: int, micro_batches: int, *, last_first: bool = True) -> Schedule:
    """The schedule of one step; raises ``ValueError`` where there is nothing to compute.

    ``last_first``: gpipe's backward begins with the last micro-batch, as torchgpipe does it;
    torch's own pipelining begins with the first. 1F1B always begins with the first.
    """
    _check(stages, micro_batches)
    if kind == "gpipe":
        orders = (_gpipe(micro_batches, last_first),) * stages
    else:
        orders = tuple(_one_f_one_b(stages - 1 - stage, micro_batches) for stage in range(stages))
    return Schedule(kind, stages, micro_batches, orders, _laid_out(orders))


def _check(stages: int, micro_batches: int) -> None:
    if stages < 1 or micro_batches < 1:
        raise ValueError(
            f"{stages} stages and {micro_batches} micro-batches; there must be 1 or more of each"
        )


def _gpipe(micro_batches: int, last_first: bool) -> Order:
    """All forwards, then all backwards."""
    backwards = range(micro_batches)
    return (
        *(Op("F", each) for each in range(micro_batches)),
        *(Op("B", each) for each in (reversed(backwards) if last_first else backwards)),
    )


def _one_f_one_b(after: int, micro_batches: int) -> Order:
    """PipeDream-flush for a stage with so many stages ``after`` it.

    It warms up with as many forwards, then takes forward and backward in turn, then cools down
    with the backwards that are left.
    """
    warm_up = min(micro_batches, after)
    order = [Op("F", each) for each in range(warm_up)]
    for each in range(warm_up, micro_batches):
        order += [Op("F", each), Op("B", each - warm_up)]
    order += [Op("B", each) for each in range(micro_batches - warm_up, micro_batches)]
    return tuple(order)


def _laid_out(orders: tuple[Order, ...]) -> tuple[tuple[Op | None, ...], ...]:
    """Every stage does its next operation in the first cycle in which what it needs is there."""
    ends: list[dict[Op, int]] = [{} for _ in orders]
    rows: list[list[Op | None]] = [[] for _ in orders]
    left = sum(map(len, orders))
    cycle = 0
    while left:
        for stage, order in enumerate(orders):
            following = len(ends[stage])
            op = order[following] if following < len(order) else None
            if op is not None and _can_begin(op, stage, ends, cycle):
                ends[stage][op] = cycle + 1
                rows[stage].append(op)
                left -= 1
            else:
                rows[stage].append(None)
        cycle += 1
    return tuple(map(tuple, rows))


def _can_begin(op: Op, stage: int, ends: list[dict[Op, int]], cycle: int) -> bool:
    """A forward needs the stage before; a backward the stage after, the last its own forward."""
    if op.direction == "F":
        before = stage - 1
        return before < 0 or ends[before].get(op, cycle + 1) <= cycle
    after = stage + 1
    if after < len(ends):
        return ends[after].get(op, cycle + 1) <= cycle
    return Op("F", op.micro_batch) in ends[stage]


def _most_held(order: Order) -> int:
    held = most = 0
    for op in order:
        held += 1 if op.direction == "F" else -1
        most = max(most, held)
    return most
