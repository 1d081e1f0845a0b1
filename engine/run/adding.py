"""Runs that come to an experiment later: what was asked for, looked at, and given names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import msgspec

from engine.errors import ExperimentError, ResnetTuiError
from engine.plan.runs import ExperimentPlan, RunPlan, run_name
from engine.plan.text import clean

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,59}")
"""Of a strategy: it becomes the name of a directory."""


def decoded(plans: bytes) -> tuple[RunPlan, ...]:
    """Plans of runs out of a request; raises ``ExperimentError`` where they are none."""
    try:
        return msgspec.json.decode(plans, type=tuple[RunPlan, ...])
    except (msgspec.MsgspecError, ResnetTuiError) as error:
        raise ExperimentError(f"the plans of the runs cannot be read: {error}") from error


def encoded(plans: Sequence[RunPlan]) -> bytes:
    return msgspec.json.encode(plans)


def named(plan: ExperimentPlan, runs: Sequence[RunPlan]) -> tuple[RunPlan, ...]:
    """``runs`` with names that follow those of the plan.

    Raises ``ExperimentError`` where they cannot be runs of this experiment, or are already.
    """
    if not runs:
        raise ExperimentError("there are no runs to add; name a strategy")
    there = {_key(run) for run in plan.runs}
    for run in runs:
        name = run.strategy.name
        if run.trial:
            raise ExperimentError(f"{clean(name)} would only measure a batch size, which is no run")
        if not _NAME.fullmatch(name):
            raise ExperimentError(f"{clean(name)!r} cannot be the name of a strategy")
        if run.dataset != plan.dataset:
            raise ExperimentError(
                f"{name} is planned for {clean(run.dataset)}, and this experiment is about "
                f"{clean(plan.dataset)}; start an experiment of its own for it"
            )
        if _key(run) in there:
            raise ExperimentError(f"{name} is in this experiment already")
        there.add(_key(run))
    last = max((_number(run.run) for run in plan.runs), default=0)
    return tuple(
        replace(run, run=run_name(number, run.strategy))
        for number, run in enumerate(runs, start=last + 1)
    )


def _key(run: RunPlan) -> tuple[str, int, str]:
    return run.strategy.name, run.repeat, run.view


def _number(name: str) -> int:
    digits = name.partition("-")[0]
    return int(digits) if digits.isdecimal() else 0
