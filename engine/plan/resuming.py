"""A run that goes on with another strategy or other switches: which it may have, and what is lost.

What is learned must stay the same: a checkpoint is a place in *that* training. How it is computed
may change, and how its images are read, and what is saved. Pure.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from itertools import count
from typing import Any

from engine.errors import SettingError, StrategyError
from engine.plan.config import Settings, declarations
from engine.plan.declaration import flag
from engine.plan.machine import ANY, Machine
from engine.plan.rules import broken_rule
from engine.plan.runs import RunPlan
from engine.plan.shares import norm_batch
from engine.plan.spread import kind_of
from engine.plan.strategies import SWITCHES, Strategy
from engine.plan.switches import check, combine
from engine.plan.values import show

_COMPUTES = (*SWITCHES, "device", "gpus", "workers")
_PLACES = ("device", "gpus")
"""Where it is computed: what a plan decides by it is decided anew."""

CHANGEABLE: frozenset[str] = frozenset(
    (
        *SWITCHES,
        *_PLACES,
        "workers",
        "hang_timeout",
        "max_steps",
        "max_time",
        "backup_epochs",
        "save_steps",
        "save_time",
        "on_nan",
        "target_accuracy",
        "price",
    )
)
"""The settings with which a run may go on."""


SCALE = "the scale of fp16 gradients begins anew"


def check_given(runs: Sequence[RunPlan], given: Mapping[str, Any]) -> None:
    """Raises ``SettingError`` where one of the settings would change what the runs learn."""
    for name, value in given.items():
        if name in CHANGEABLE:
            continue
        for run in runs:
            now = getattr(run.settings, name)
            if value != now:
                label = declarations()[name].label
                raise SettingError(
                    name,
                    f"{label} ({flag(name)}) of {run.run} is {show(name, now)} and cannot become "
                    f"{show(name, value)} on the way: that is another training. Begin one from its "
                    f"weights: resnet-tui train DATASET --weights CHECKPOINT {flag(name)} "
                    f"{show(name, value)}",
                )


def replanned(
    runs: Sequence[RunPlan],
    settings: Settings,
    given: Mapping[str, Any],
    *,
    chosen: Strategy | None = None,
    others: Collection[str] = (),
    machine: Machine = ANY,
) -> tuple[RunPlan, ...]:
    """Plans by which ``runs`` go on, each under its own name.

    ``settings`` are those of the experiment. What was given when a run went on before stands, and
    ``given`` changes it; ``chosen`` is another strategy for all of them, which gets a name of its
    own where one of ``others``, the strategies of the other runs, has it. Raises ``SettingError``
    and ``StrategyError``.
    """
    check_given(runs, given)
    names = {run.strategy.name for run in runs}
    if chosen is not None and len(names) > 1:
        raise StrategyError(
            f"{', '.join(sorted(names))} cannot all go on as {chosen.name}; choose the run that "
            "does with --run"
        )
    if chosen is None and not any(name in given for name in (*SWITCHES, *_PLACES)):
        return tuple(
            replace(
                run,
                settings=replace(run.settings, **given),
                asked=replace(_asked(run, settings), **given),
            )
            for run in runs
        )
    found = []
    for run in runs:
        strategy = chosen or run.strategy
        asked = replace(_asked(run, settings), **given)
        found.append(_combined(run, strategy, asked, given, machine))
    if chosen is not None and chosen.name not in names:
        free = (chosen.name if each == 1 else f"{chosen.name}-{each}" for each in count(1))
        called = replace(chosen, name=next(name for name in free if name not in others))
        found = [replace(run, strategy=called) for run in found]
    return tuple(found)


def still_given(run: RunPlan, settings: Settings) -> dict[str, str]:
    """What was given when a run went on before, and stands: by its name, as ``--workers 1``.

    ``settings`` are those of the experiment.
    """
    if run.asked is None:
        return {}
    name = run.strategy.name
    other = {} if run.run.endswith(f"-{name}") else {"strategy": f"--strategy {name}"}
    return other | {
        name: _as_given(name, getattr(run.asked, name))
        for name in declarations()
        if name in CHANGEABLE and getattr(run.asked, name) != getattr(settings, name)
    }


def _as_given(name: str, value: Any) -> str:
    """``--workers 1``, ``--compile`` or ``--no-compile``."""
    if isinstance(value, bool):
        return flag(name) if value else flag(f"no_{name}")
    return f"{flag(name)} {show(name, value)}"


def _asked(run: RunPlan, settings: Settings) -> Settings:
    """The settings of a run as they were last asked for."""
    if run.asked is not None:
        return run.asked
    # What no strategy decides is in its own settings as it was asked for.
    plain = CHANGEABLE.difference(SWITCHES, _PLACES)
    return replace(settings, **{name: getattr(run.settings, name) for name in plain})


def _combined(
    run: RunPlan, strategy: Strategy, asked: Settings, given: Mapping[str, Any], machine: Machine
) -> RunPlan:
    """``run`` trained by ``strategy`` with what was asked for, and what it learns kept."""
    learned = {
        name: getattr(run.settings, name) for name in declarations() if name not in CHANGEABLE
    }
    asked = replace(asked, **learned)
    check((strategy,), asked, machine, [name for name in given if name in SWITCHES])
    settings = combine(strategy, asked, machine)
    if why := broken_rule(strategy, settings):
        raise StrategyError(why)
    ranks = settings.nproc or 1 if strategy.parallelism in ("ddp", "fsdp") else 1
    return replace(
        run,
        strategy=strategy,
        settings=settings,
        loaders=max(run.loaders, ranks),
        view=run.view,
        asked=asked,
    )


def way(plan: RunPlan) -> str:
    """A mark of how a run is computed: what its times and its memory are of."""
    settings = plan.settings
    parts = [plan.strategy.parallelism, *(getattr(settings, name) for name in _COMPUTES)]
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:12]


def not_kept(before: RunPlan, after: RunPlan, machine: Machine = ANY) -> tuple[str, ...]:
    """What a run loses by going on with another plan on ``machine``, as the rest of a sentence
    each."""
    lost = []
    if _way(before) != _way(after):
        lost.append("sums are added up in another order, so the last bits differ")
    elif before.settings.precision != after.settings.precision:
        lost.append("arithmetic of another precision: the last bits differ")
    if _ranks(before) != _ranks(after) and _differ(before):
        lost.append("each rank had running statistics of its own: those of the first go on for all")
    if _scales(after.settings, machine) and not _scales(before.settings, machine):
        lost.append(SCALE)
    was, now = norm_batch(before), norm_batch(after)
    if was != now:
        lost.append(f"batch normalisation sees {now} images at once, and saw {was}")
    if lost:
        lost.append("times and memory in the table are those of the new way alone")
    return tuple(lost)


def _scales(settings: Settings, machine: Machine) -> bool:
    """Whether gradients are scaled: in fp16, which mixed precision is where a GPU has no bf16."""
    if settings.precision != "mixed":
        return settings.precision == "fp16"
    kind = kind_of(settings, machine)
    return any(each.kind == kind and not each.bf16 for each in machine.devices)


def _ranks(plan: RunPlan) -> tuple[str, int]:
    return plan.strategy.parallelism, plan.ranks


def _differ(plan: RunPlan) -> bool:
    """Whether ranks that share batches keep running statistics that are not the same on all."""
    settings = plan.settings
    shared = plan.strategy.parallelism in ("ddp", "fsdp") and plan.ranks > 1
    return shared and not settings.sync_bn and not settings.freeze


def _way(plan: RunPlan) -> tuple[object, ...]:
    settings = plan.settings
    return (
        plan.strategy.parallelism,
        settings.nproc if plan.strategy.parallelism != "none" else None,
        settings.accumulate,
        settings.stages,
        settings.micro_batches,
        settings.device,
        settings.compile,
        settings.channels_last,
    )
