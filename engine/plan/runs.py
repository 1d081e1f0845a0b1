"""The plan of an experiment: one dataset, base settings, and the runs to do, in order."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from engine.plan.config import Settings
from engine.plan.machine import ANY, Machine
from engine.plan.strategies import Strategy
from engine.plan.switches import check, combine

SCHEMA = 2
"""The version of ``experiment.json`` and ``config.json``."""


View = Literal["equal", "best"]
"""Of a comparison: ``equal``, all strategies at the global batch that was asked for; ``best``, each
at the batch with its best throughput."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPlan:
    """One strategy with one seed: what ``config.json`` holds, and all that a rank is told."""

    run: str
    """The run's directory inside the experiment, ``01-single``."""
    strategy: Strategy
    settings: Settings
    """With the strategy's own switches in them, and every ``auto`` that a plan can decide decided:
    ``precision`` (never ``auto``), ``nproc``, ``stages``, ``micro_batches``, ``schedule``,
    ``recompute``, and ``device`` where the machine is known."""
    dataset: str
    """Absolute path of the dataset folder."""
    repeat: int = 0
    view: View = "equal"
    """What its batch size is for. Where a strategy's best batch is the one that was asked for, its
    runs are ``equal`` and stand in both views."""
    trial: bool = False
    """It only measures a batch size: no validation, no checkpoints; see ``engine.run.search``."""
    schema: int = SCHEMA

    @property
    def ranks(self) -> int:
        """How many processes train: each is a rank with a journal of its own."""
        return self.settings.nproc or 1 if self.strategy.launched_by_torchrun else 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentPlan:
    """What ``experiment.json`` holds."""

    name: str
    created: float
    """Seconds since the Unix epoch."""
    dataset: str
    settings: Settings
    runs: tuple[RunPlan, ...]
    sources: dict[str, str]
    """Where each setting came from, by its name: see ``engine.plan.defaults``, or ``you``."""
    schema: int = SCHEMA


def plan_runs(
    dataset: Path,
    settings: Settings,
    strategies: tuple[Strategy, ...],
    repeats: int = 1,
    machine: Machine = ANY,
    given: Collection[str] | None = None,
) -> tuple[RunPlan, ...]:
    """The runs of an experiment in the order in which they are done.

    Every repeat has its own seed; the strategies of one repeat share it. ``given``: see
    ``switches.check``. Raises ``StrategyError`` where a strategy cannot be combined with the
    settings, or cannot run on ``machine``.
    """
    check(strategies, settings, machine, given)
    ordered = [(repeat, each) for repeat in range(repeats) for each in strategies]
    return tuple(
        RunPlan(
            run=f"{number:02d}-{each.name}",
            strategy=each,
            settings=replace(combine(each, settings, machine), seed=settings.seed + repeat),
            dataset=str(dataset),
            repeat=repeat,
        )
        for number, (repeat, each) in enumerate(ordered, start=1)
    )
