"""Which of the settings a strategy takes: what it leaves open, and what refines what it fixes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from engine.plan.config import Settings, declarations
from engine.plan.declaration import flag
from engine.plan.strategies import STRATEGIES, SWITCHES, Parallelism, Strategy
from engine.plan.values import show

_OF: dict[str, tuple[Parallelism, ...]] = {
    "nproc": ("dp", "ddp", "fsdp", "gpipe", "pipeline"),
    "stages": ("gpipe", "pipeline"),
    "micro_batches": ("gpipe", "pipeline"),
    "balance": ("gpipe", "pipeline"),
    "schedule": ("pipeline",),
    "recompute": ("gpipe",),
    "sync_bn": ("ddp", "fsdp"),
}
"""Switches that mean something to these kinds of parallelism only."""

_REFINES = {"fp32": ("tf32",), "mixed": ("bf16", "fp16")}
"""Precisions that say more exactly what a strategy's own precision means."""

DEFAULTS: dict[str, Any] = {each.name: each.default for each in fields(Settings)}


def means_something(chosen: Strategy, name: str) -> bool:
    """Whether a switch changes anything in a strategy of that parallelism."""
    return chosen.parallelism in _OF.get(name, (chosen.parallelism,))


def takes(chosen: Strategy, name: str, value: Any) -> bool:
    """Whether a run of ``chosen`` is trained with ``value`` where the settings ask for it."""
    if not means_something(chosen, name):
        return False
    fixed = getattr(chosen, name)
    if fixed is None or fixed == value:
        return True
    return name == "precision" and value in _REFINES.get(fixed, ())


def switches_of(chosen: Strategy, settings: Settings) -> dict[str, Any]:
    """The switches of a run: the strategy's own, and the settings where it takes them."""
    switches = {}
    for name in SWITCHES:
        value = getattr(settings, name)
        fixed = getattr(chosen, name)
        if not means_something(chosen, name):
            switches[name] = DEFAULTS[name]
        elif fixed is None or (value != DEFAULTS[name] and takes(chosen, name, value)):
            switches[name] = value
        else:
            switches[name] = fixed
    return switches


def taken_by_none(strategies: Sequence[Strategy], name: str, value: Any) -> str:
    """Why none of the chosen strategies takes ``value``, and what does; empty where one does."""
    if any(takes(each, name, value) for each in strategies):
        return ""
    declared = declarations()[name]
    asked = f"{declared.label} ({flag(name)})"
    names = " and ".join(each.name for each in strategies)
    takers = [each for each in STRATEGIES if takes(each, name, value)]
    made_for_it = [each for each in takers if getattr(each, name) is not None]
    choose = _either([each.name for each in made_for_it or takers[:3]])
    opening = next((each for each in strategies if means_something(each, name)), None)
    if opening is None:
        return f"{asked} means nothing to {names}; choose {choose}, or leave it out"
    fixed = show(name, getattr(opening, name))
    return (
        f"{asked} is {show(name, value)}, and {opening.name} has {fixed}; choose {choose} for "
        "that, or leave it out"
    )


def _either(names: Sequence[str]) -> str:
    """``a``, ``a or b``, ``a, b or c``."""
    *others, last = names
    return f"{', '.join(others)} or {last}" if others else last
