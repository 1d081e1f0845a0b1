"""A strategy and the settings put together for a machine: what runs, or a sentence why not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

from engine.plan.config import Settings
from engine.plan.machine import Machine
from engine.plan.strategies import SWITCHES, Strategy

Status = Literal["available", "functional only", "unavailable"]


@dataclass(frozen=True, slots=True)
class Availability:
    """Whether a machine can run a strategy; ``reason`` is a sentence where it is no plain yes."""

    status: Status
    reason: str = ""


def runs_anywhere(chosen: Strategy) -> bool:
    """Whether it needs nothing of a machine but what every training needs."""
    return chosen.parallelism == "none"


def availability(
    chosen: Strategy, machine: Machine, settings: Settings | None = None
) -> Availability:
    """Whether ``machine`` can run ``chosen`` with ``settings``, and why not."""
    if machine.problem:
        return Availability("unavailable", machine.problem)
    return Availability("available")


def combine(chosen: Strategy, settings: Settings, machine: Machine) -> Settings:
    """The settings of a run: see ``RunPlan.settings``. Raises ``StrategyError``."""
    fixed: dict[str, Any] = {
        name: value for name in SWITCHES if (value := getattr(chosen, name)) is not None
    }
    combined = replace(settings, **fixed)
    if combined.precision == "auto":
        combined = replace(combined, precision="fp32")
    spread = {}
    if chosen.parallelism != "none":
        spread["nproc"] = combined.nproc or 2
    if chosen.parallelism in ("gpipe", "pipeline"):
        spread["stages"] = combined.stages or spread["nproc"]
        spread["micro_batches"] = combined.micro_batches or 4
    if combined.schedule == "auto":
        combined = replace(combined, schedule="gpipe")
    return replace(combined, **spread)
