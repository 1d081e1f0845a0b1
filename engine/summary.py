"""How an experiment stands, in short: the file that a list reads instead of the journals."""

from __future__ import annotations

from typing import Literal

import msgspec

State = Literal["starting", "running", "done", "failed", "stopped", "crashed", "silent"]
"""``crashed``: this host and boot, and nobody holds the lock. ``silent``: nobody here can tell."""


class RunSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One run in a list. Accuracies in 0..1; ``None`` is unknown."""

    run: str
    strategy: str
    state: str
    reason: str = ""
    epoch: int | None = None
    epochs: int | None = None
    best_top1: float | None = None


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """``summary.json``: what a list needs, so that a list never folds journals."""

    state: State
    host: str
    boot: str
    pid: int
    updated: float
    """Seconds since the Unix epoch; while the state is ``running`` at most some seconds old."""
    runs: tuple[RunSummary, ...] = ()
    stopping: bool = False
    """Whether all of it was asked to stop and is on its way there."""
