"""What can be said of each strategy for the settings as they are: whether, why not, which batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from engine.errors import StrategyError
from engine.plan.config import Settings
from engine.plan.machine import Machine
from engine.plan.runs import RunPlan
from engine.plan.shares import device_batch
from engine.plan.strategies import Strategy
from engine.plan.switches import availability, combine
from engine.plan.text import clean
from tui.widgets import format as show
from tui.widgets.strategy_list import Choice


def choices(
    strategies: Sequence[Strategy], settings: Settings, machine: Machine | None
) -> tuple[Choice, ...]:
    """The lines of the list; before the machine is known nothing is known to be impossible."""
    plain = [Choice(name=each.name, explanation=clean(each.explanation)) for each in strategies]
    if machine is None:
        return tuple(plain)
    return tuple(
        _judged(choice, each, settings, machine)
        for choice, each in zip(plain, strategies, strict=True)
    )


def _judged(choice: Choice, chosen: Strategy, settings: Settings, machine: Machine) -> Choice:
    can = availability(chosen, machine, settings)
    choice = replace(choice, status=can.status, reason=clean(can.reason))
    if can.status == "unavailable":
        return choice
    try:
        combined = combine(chosen, settings, machine)
    except StrategyError as error:
        # The list names the strategy already.
        reason = clean(str(error).removeprefix(f"{chosen.name} "))
        return replace(choice, status="unavailable", reason=reason)
    part = device_batch(RunPlan(run="", strategy=chosen, settings=combined, dataset=""))
    whole = combined.batch_size
    return replace(choice, batch=show.pieces(whole, part) if part < whole else "")
