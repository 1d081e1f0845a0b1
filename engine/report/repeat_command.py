"""The command line that trains a row of a table again."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.errors import SettingError, StrategyError
from engine.plan.config import Settings, declarations
from engine.plan.declaration import flag
from engine.plan.defaults import resolve
from engine.plan.machine import ANY
from engine.plan.runs import RunPlan
from engine.plan.strategies import STRATEGIES, SWITCHES, Strategy
from engine.plan.switches import combine
from engine.plan.takes import means_something, switches_of, takes
from engine.plan.values import kind_of, show

_DECIDED = ("precision", "schedule", "recompute", "micro_batches", "stages")
"""Switches that a plan decides from others: they need not be said where it would again."""


def repeat_command(plan: RunPlan) -> str:
    """``resnet-tui train ...`` for all repeats of a row, of which ``plan`` is one; for a shell.

    Only what is not so in a training of this dataset of which nothing is said, as ``train`` reads
    it from the files, is said. What its recipe sets is not, for the recipe is named. The search for
    a batch size is left out: its result is there. A strategy of the user's own is called by its
    name.
    """
    unsaid, recipe = _unsaid(plan), plan.settings.recipe
    base = unsaid if recipe == unsaid.recipe else _unsaid(plan, recipe=recipe)
    chosen = _preset(plan.strategy)
    words = ["resnet-tui", "train", plan.dataset, "--strategy", chosen.name]
    if recipe != unsaid.recipe:
        words += [flag("recipe"), recipe]
    for name, value in _said(chosen, _wanted(plan, base), base).items():
        if kind_of(name) is bool:
            words.append(flag(name) if value else flag(name).replace("--", "--no-", 1))
        else:
            words += [flag(name), show(name, value) or "auto"]
    return shlex.join(words)


def _unsaid(plan: RunPlan, **said: Any) -> Settings:
    """The settings of a training of the dataset of which only that is ``said``."""
    try:
        return resolve(Path(plan.dataset), said).settings
    except SettingError:
        # A file that is wrong by now: whoever runs the line is told so.
        return Settings(**said)


def _wanted(plan: RunPlan, base: Settings) -> Settings:
    """The settings of the row: its first seed, and no search."""
    return replace(
        plan.settings,
        seed=max(0, plan.settings.seed - plan.repeat),
        find_batch=False,
        memory_budget=base.memory_budget,
    )


def _said(chosen: Strategy, wanted: Settings, base: Settings) -> dict[str, Any]:
    alone = switches_of(chosen, base)
    said: dict[str, Any] = {}
    for name in declarations():
        value = getattr(wanted, name)
        if name not in SWITCHES:
            if value != getattr(base, name):
                said[name] = value
        elif means_something(chosen, name) and value != alone[name] and takes(chosen, name, value):
            said[name] = value
    for name in _DECIDED:
        rest = {other: value for other, value in said.items() if other != name}
        if name in said and _combined(chosen, base, rest) == wanted:
            said = rest
    return said


def _combined(chosen: Strategy, base: Settings, said: Mapping[str, Any]) -> Settings | None:
    try:
        return combine(chosen, replace(base, **said), ANY)
    except (SettingError, StrategyError):
        return None


def _preset(chosen: Strategy) -> Strategy:
    """The preset of the same switches, where a strategy was renamed because it came twice."""
    alike = [
        each
        for each in STRATEGIES
        if replace(each, name=chosen.name, explanation=chosen.explanation) == chosen
    ]
    return alike[0] if alike else chosen
