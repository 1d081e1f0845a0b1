"""What all events share: a time, and for a journal's first line, who writes it."""

from __future__ import annotations

import time
from typing import Annotated, Literal

import msgspec

SCHEMA = 1
"""The version of this vocabulary; raised when a field changes its meaning."""

EndState = Literal["done", "failed", "stopped"]
"""How a run or an attempt ended; a run that nobody closed is told from the lock instead."""

Level = Literal["info", "warning", "error"]

Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
"""A whole number of this world: anything else is damage, and refused where it is read."""

Moment = Annotated[float, msgspec.Meta(ge=0.0, le=2.0**33)]
"""Seconds since the Unix epoch, before the year 2243."""

STEP_METRICS: tuple[str, ...] = (
    "loss",
    "top1",
    "top5",
    "lr",
    "images",
    "step_seconds",
    "wait_seconds",
)
"""Columns every trainer writes: mean loss and accuracies over this rank's images of the step,
learning rate, images of this rank, wall time of the step, and time in ``next(loader)``."""


def now() -> float:
    return time.time()


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", omit_defaults=True):
    """What all events share."""

    t: Moment = msgspec.field(default_factory=now)


class Writer(Event, frozen=True, kw_only=True):
    """First line of a journal file: who writes it; ``journal`` tells a regrown file apart."""

    journal: str
    host: str
    pid: Count
    boot: str
    schema: Count = SCHEMA
