"""What a training consists of, and where it stands."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

from engine.plan.learning_rate import Schedule
from engine.plan.runs import RunPlan
from engine.train.checkpoint import Checkpoints
from engine.train.damage import Damage
from engine.train.data import Stream
from engine.train.recorder import Recorder
from engine.train.stop import StopRequest
from engine.train.stopwatch import Stopwatch
from engine.train.strategies.base import Feed, Strategy
from engine.train.telemetry import Telemetry
from engine.train.world import World


@dataclass(frozen=True, slots=True)
class Earlier:
    """Sums over the steps of an epoch that were made before, and the seconds that they took."""

    sums: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = 0.0


NOTHING = Earlier()


@dataclass(frozen=True, slots=True)
class BrokenOff:
    """An epoch that a limit ended early. It is validated all the same, which does not count any
    more once it is gone on with: what was the best before is known again then."""

    best: float | None
    best_epoch: int | None


@dataclass(slots=True, kw_only=True)
class Job:
    """What a training consists of."""

    plan: RunPlan
    classes: tuple[str, ...]
    strategy: Strategy
    stream: Stream
    schedule: Schedule
    telemetry: Telemetry
    recorder: Recorder
    checkpoints: Checkpoints
    damage: Damage
    stop: StopRequest
    world: World
    feed: Feed
    device: torch.device
    attempt: int = 1
    hashes: dict[str, str] = field(default_factory=dict)
    """See ``Ready.hashes``."""
    stopping: bool = False
    """All ranks have agreed to stop."""
    saving: bool = False
    """All ranks have agreed to save after the step at hand."""
    late: bool = False
    """All ranks have agreed that the time is up."""
    epoch: int = 0
    """The epoch at hand."""
    done: int = 0
    """Steps of it that are finished."""
    step: int = 0
    """Steps finished: the number of the next one."""
    best: float | None = None
    """The best validation accuracy so far, 0..1."""
    best_epoch: int | None = None
    """The epoch after which it was reached."""
    began: float | None = None
    """``time.monotonic`` at the first step of this attempt."""
    spent: float = 0.0
    """Seconds from the first step on, in earlier attempts."""
    saved: float = field(default_factory=time.monotonic)
    """``time.monotonic`` at the last save, or when the job was made."""
    watch: Stopwatch = field(default_factory=Stopwatch)
    """Of the epoch at hand."""
    earlier: Earlier = NOTHING
    """Of the epoch at hand, what an earlier attempt did of it."""
    broken_off: BrokenOff | None = None
    """Where the epoch at hand was broken off by a limit, and validated."""

    def seconds(self) -> float:
        """Of training, from its first step on, over all attempts."""
        return self.spent + (0.0 if self.began is None else time.monotonic() - self.began)
