"""Runs that a limit ended, and that go on because it is lifted."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from engine.experiment import Experiment, open_directory
from engine.journal import checkpoints
from engine.plan.runs import RunPlan
from engine.run import past

_LIMITS = ("max_steps", "max_time")


def lifted(experiment: Experiment, runs: Collection[str], given: Mapping[str, Any]) -> list[str]:
    """Those of ``runs``, or of all without any, that are done before their last epoch was, and
    would train further steps with the settings ``given``."""
    limits = {name: given[name] for name in _LIMITS if name in given}
    if not limits:
        return []
    ends = past.ended(experiment.directory)
    return [
        plan.run
        for plan in open_directory(experiment.directory).plan.runs
        if not runs or plan.run in runs
        if plan.run in ends and ends[plan.run].state == "done"
        if _goes_further(experiment, plan, limits)
    ]


def _goes_further(experiment: Experiment, plan: RunPlan, limits: Mapping[str, Any]) -> bool:
    newest = checkpoints.newest(experiment.directory / plan.run)
    steps = past.steps(experiment.directory, plan.run)
    if newest is None or steps is None or newest[1].step >= steps:
        return False
    step, before = newest[1].step, plan.settings
    after = replace(before, **limits)
    if before.max_steps is not None and step >= before.max_steps:
        return after.max_steps is None or after.max_steps > step
    return after.max_time is None or after.max_time > (before.max_time or 0.0)
