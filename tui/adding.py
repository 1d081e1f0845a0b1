"""Which strategies could come to an experiment that is there already, and why others cannot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.errors import StrategyError
from engine.plan.machine import Machine
from engine.plan.runs import ExperimentPlan, plan_added
from engine.plan.strategies import Strategy
from engine.plan.switches import availability
from engine.plan.text import clean


@dataclass(frozen=True, slots=True, kw_only=True)
class Addable:
    """A strategy that is not in the experiment; texts are cleaned."""

    name: str
    explanation: str
    possible: bool
    reason: str = ""
    """Why not, or why it will not be at its best."""


def addable(
    plan: ExperimentPlan, strategies: Sequence[Strategy], machine: Machine | None
) -> tuple[Addable, ...]:
    """Those that can run on ``machine`` with the settings of the experiment before the others.

    Before the machine is known nothing is known to be impossible.
    """
    there = {run.strategy.name for run in plan.runs}
    found = [_judged(plan, each, machine) for each in strategies if each.name not in there]
    return tuple(sorted(found, key=lambda each: not each.possible))


def _judged(plan: ExperimentPlan, chosen: Strategy, machine: Machine | None) -> Addable:
    if machine is None:
        name, about = clean(chosen.name), clean(chosen.explanation)
        return Addable(name=name, explanation=about, possible=True)
    can = availability(chosen, machine, plan.settings)
    reason, possible = can.reason, can.status != "unavailable"
    if possible:
        try:
            plan_added(plan, (chosen,), plan.settings, machine)
        except StrategyError as error:
            reason, possible = str(error).removeprefix(f"{chosen.name} "), False
    return Addable(
        name=clean(chosen.name),
        explanation=clean(chosen.explanation),
        possible=possible,
        reason=clean(reason),
    )
