"""The settings in which two runs of a table differ. Pure."""

from __future__ import annotations

from engine.plan import values
from engine.plan.config import declarations
from engine.plan.runs import RunPlan
from engine.plan.text import clean

_OF_THE_WHOLE = frozenset(
    ("repeats", "find_batch", "memory_budget", "target_accuracy", "price", "seed")
)
"""Settings that say how an experiment is run and told, not how a network is trained; seeds differ
between repeats, and pairs of repeats share theirs."""


def differing(here: RunPlan, there: RunPlan) -> list[tuple[str, str, str]]:
    """The label of each, and its two values as a form shows them."""
    found = []
    for label, one, other in (
        ("parallelism", here.strategy.parallelism, there.strategy.parallelism),
        ("dataset", here.dataset, there.dataset),
    ):
        if one != other:
            found.append((label, clean(one), clean(other)))
    for name, declared in declarations().items():
        one, other = getattr(here.settings, name), getattr(there.settings, name)
        if name not in _OF_THE_WHOLE and one != other:
            found.append((declared.label, _shown(name, one), _shown(name, other)))
    return found


def _shown(name: str, value: object) -> str:
    return clean(values.show(name, value)) or "none"
