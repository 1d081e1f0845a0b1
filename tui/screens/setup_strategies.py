"""What can be said of each strategy for the settings as they are: whether, why not, which batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.errors import StrategyError
from engine.plan.config import Settings
from engine.plan.machine import Machine
from engine.plan.runs import RunPlan
from engine.plan.shares import device_batch
from engine.plan.strategies import Strategy
from engine.plan.switches import Availability, availability, combine
from tui.widgets import format as show


@dataclass(frozen=True, slots=True)
class Judged:
    """``batch`` is how the global batch is shared out; empty where a device computes all of it."""

    can: Availability
    batch: str = ""


def judge(
    strategies: Sequence[Strategy], settings: Settings, machine: Machine
) -> dict[str, Judged]:
    """Every strategy by its name."""
    return {each.name: _judge(each, settings, machine) for each in strategies}


def _judge(chosen: Strategy, settings: Settings, machine: Machine) -> Judged:
    can = availability(chosen, machine, settings)
    if can.status == "unavailable":
        return Judged(can)
    try:
        combined = combine(chosen, settings, machine)
    except StrategyError as error:
        # The list names the strategy already.
        return Judged(Availability("unavailable", str(error).removeprefix(f"{chosen.name} ")))
    part = device_batch(RunPlan(run="", strategy=chosen, settings=combined, dataset=""))
    whole = combined.batch_size
    return Judged(can, show.pieces(whole, part) if part < whole else "")
