"""The strategies as data: a set of switches with a name, one line each, and what each needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from engine.errors import StrategyError
from engine.plan.machine import Machine

Parallelism = Literal["none"]
Status = Literal["available", "functional only", "unavailable"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Strategy:
    """A way of training. Everything that tells it from plain training is a switch here."""

    name: str
    explanation: str
    parallelism: Parallelism = "none"
    mixed_precision: bool = False


@dataclass(frozen=True, slots=True)
class Availability:
    """Whether a machine can run a strategy; ``reason`` is a sentence where it is no plain yes."""

    status: Status
    reason: str = ""


STRATEGIES: tuple[Strategy, ...] = (
    Strategy(name="single", explanation="one device, full precision: the plain way"),
    Strategy(
        name="amp",
        explanation="mixed precision: most arithmetic in 16 bits, weights in 32",
        mixed_precision=True,
    ),
)
"""In the order of the keys 1, 2, ... on Setup."""


def runs_anywhere(chosen: Strategy) -> bool:
    """Whether it needs nothing of a machine but what every training needs."""
    return chosen.parallelism == "none"


def strategy(name: str) -> Strategy:
    """The strategy of that name; raises ``StrategyError`` with the names there are."""
    for each in STRATEGIES:
        if each.name == name:
            return each
    names = ", ".join(each.name for each in STRATEGIES)
    raise StrategyError(f"there is no strategy {name!r}; choose from {names}")


def availability(chosen: Strategy, machine: Machine) -> Availability:
    """Whether ``machine`` can run ``chosen``, and why not."""
    if machine.problem:
        return Availability("unavailable", machine.problem)
    return Availability("available")
