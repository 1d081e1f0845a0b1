"""The plan of an experiment: one dataset, base settings, and the runs to do, in order."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Literal, TypeVar

from engine.errors import StrategyError
from engine.plan.config import Settings
from engine.plan.machine import ANY, Machine
from engine.plan.rules import broken_rule
from engine.plan.spread import cut
from engine.plan.strategies import Strategy
from engine.plan.switches import check, combine
from engine.plan.takes import switches_of

T = TypeVar("T")

SCHEMA = 2
"""The version of ``experiment.json`` and ``config.json``."""


View = Literal["equal", "best"]
"""Of a comparison: ``equal``, all strategies at the global batch that was asked for; ``best``, each
at the batch with its best throughput."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPlan:
    """One strategy with one seed: what ``config.json`` holds, and all that a rank is told."""

    run: str
    """The run's directory inside the experiment, ``01-single``."""
    strategy: Strategy
    settings: Settings
    """With the strategy's own switches in them, and every ``auto`` that a plan can decide decided:
    ``precision`` (never ``auto``), ``nproc``, ``stages``, ``micro_batches``, ``schedule``,
    ``recompute``, and ``device`` where the machine is known."""
    dataset: str
    """Absolute path of the dataset folder."""
    repeat: int = 0
    view: View = "equal"
    """What its batch size is for. Where a strategy's best batch is the one that was asked for, its
    runs are ``equal`` and stand in both views."""
    loaders: int = 1
    """The most ranks that load images in any strategy of the experiment: where the decoding
    processes are chosen by themselves there are as many at least, in every strategy."""
    trial: bool = False
    """It only measures a batch size: no validation, no checkpoints; see ``engine.run.search``."""
    asked: Settings | None = field(default=None, compare=False)
    """Where it went on otherwise than it began: the settings as they were asked for then, before a
    strategy was put together with them. ``None``: those of the experiment."""
    schema: int = SCHEMA

    @property
    def ranks(self) -> int:
        """How many processes train: each is a rank with a journal of its own."""
        return self.settings.nproc or 1 if self.strategy.launched_by_torchrun else 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentPlan:
    """What ``experiment.json`` holds."""

    name: str
    created: float
    """Seconds since the Unix epoch."""
    dataset: str
    settings: Settings
    runs: tuple[RunPlan, ...]
    sources: dict[str, str]
    """Where each setting came from, by its name: see ``engine.plan.defaults``, or ``you``."""
    schema: int = SCHEMA


def plan_runs(
    dataset: Path,
    settings: Settings,
    strategies: tuple[Strategy, ...],
    machine: Machine = ANY,
    given: Collection[str] | None = None,
) -> tuple[RunPlan, ...]:
    """The runs of an experiment in the order in which they are done: see ``interleaved``.

    Every repeat has its own seed; the strategies of one repeat share it. ``given``: see
    ``switches.check``. Raises ``StrategyError`` where a strategy cannot be combined with the
    settings, or cannot run on ``machine``.
    """
    check(strategies, settings, machine, given)
    combined = [(each, combine(each, settings, machine)) for each in strategies]
    loaders = max((_loaders(*each) for each in combined), default=1)
    turns = interleaved(combined, settings.repeats)
    return tuple(
        RunPlan(
            run=run_name(number, each),
            strategy=each,
            settings=replace(own, seed=settings.seed + repeat),
            dataset=str(dataset),
            repeat=repeat,
            loaders=loaders,
        )
        for number, (repeat, (each, own)) in enumerate(turns, start=1)
    )


def _loaders(strategy: Strategy, settings: Settings) -> int:
    return settings.nproc or 1 if strategy.parallelism in ("ddp", "fsdp") else 1


def run_name(number: int, strategy: Strategy) -> str:
    """The name of the run at a place in the plan, counted from 1."""
    return f"{number:02d}-{strategy.name}"


def interleaved(things: Sequence[T], repeats: int) -> list[tuple[int, T]]:
    """Every thing once in each repeat, each repeat beginning one thing further: A B C, B C A,
    C A B. What drifts (heat, other users) and what a place brings (a cold disk) falls on all alike.
    """
    return [
        (repeat, things[(place + repeat) % len(things)])
        for repeat in range(repeats)
        for place in range(len(things))
    ]


def plan_added(
    plan: ExperimentPlan,
    strategies: Sequence[Strategy],
    settings: Settings,
    machine: Machine = ANY,
) -> tuple[RunPlan, ...]:
    """The runs of ``strategies`` that come to an experiment later, one for each repeat.

    They have the seeds of the runs that are there. Their names are made by whoever adds them. A
    strategy that is there already is called by a name of its own where its ``settings`` differ.
    Raises ``StrategyError`` where they do not, and as ``plan_runs`` does.
    """
    repeats = 1 + max((run.repeat for run in plan.runs), default=plan.settings.repeats - 1)
    check(strategies, settings, machine, given=())
    seed = plan.settings.seed
    there = {_training(run.strategy, run.settings, seed): run.strategy.name for run in plan.runs}
    names = {run.strategy.name for run in plan.runs}
    added = []
    for each in strategies:
        combined = replace(combine(each, settings, machine), repeats=plan.settings.repeats)
        same = there.get(_training(each, combined, seed))
        if same is not None:
            raise StrategyError(
                f"{each.name} is in this experiment already, with the same settings"
                + (f", as {same}" if same != each.name else "")
                + "; choose another strategy, change a setting, or retry its runs that were taken "
                "out"
            )
        called = replace(each, name=_unused(each.name, names))
        names.add(called.name)
        added.append((called, combined))
    loaders = max((run.loaders for run in plan.runs), default=1)
    loaders = max(loaders, *(_loaders(*each) for each in added)) if added else loaders
    return tuple(
        RunPlan(
            run=run_name(len(plan.runs) + number, each),
            strategy=each,
            settings=replace(combined, seed=seed + repeat),
            dataset=plan.dataset,
            repeat=repeat,
            loaders=loaders,
        )
        for number, (repeat, (each, combined)) in enumerate(interleaved(added, repeats), start=1)
    )


def plan_best(plan: ExperimentPlan, batch_sizes: Mapping[str, int]) -> tuple[RunPlan, ...]:
    """The runs of the view ``best`` that are not in the plan yet, in the order of ``interleaved``.

    ``batch_sizes``: the best global batch by strategy. Where it is the one that was asked for, the
    runs that are there stand in both views.
    """
    there = {(run.strategy.name, run.repeat) for run in plan.runs if run.view == "best"}
    equal = {(run.strategy.name, run.repeat): run for run in plan.runs if run.view == "equal"}
    names = [name for name in dict.fromkeys(name for name, _ in equal) if name in batch_sizes]
    repeats = 1 + max((repeat for _, repeat in equal), default=-1)
    wanted = [
        resized(equal[name, repeat], batch_sizes[name], plan.settings)
        for repeat, name in interleaved(names, repeats)
        if (name, repeat) in equal
        and (name, repeat) not in there
        and equal[name, repeat].settings.batch_size != batch_sizes[name]
    ]
    return tuple(
        replace(run, run=run_name(len(plan.runs) + number, run.strategy), view="best")
        for number, run in enumerate(wanted, start=1)
    )


def resized(run: RunPlan, batch_size: int, asked: Settings) -> RunPlan:
    """``run`` with another global batch, and what a plan decides by it decided anew.

    ``asked``: the settings of the experiment. Raises ``StrategyError`` for a batch that the run
    cannot be trained with.
    """
    settings = replace(run.settings, batch_size=batch_size)
    if settings.stages is not None:
        open_still = replace(
            settings,
            micro_batches=switches_of(run.strategy, asked)["micro_batches"],
            schedule=switches_of(run.strategy, asked)["schedule"],
        )
        settings = cut(run.strategy, open_still, settings.stages)
    if why := broken_rule(run.strategy, settings):
        raise StrategyError(why)
    return replace(run, settings=settings)


def _training(strategy: Strategy, settings: Settings, seed: int) -> tuple[str, Settings]:
    """What makes two runs the same training, but for chance and for what asks no more than it."""
    usual = Settings()
    asides = ("find_batch", "memory_budget", "target_accuracy", "price", "repeats")
    same = {name: getattr(usual, name) for name in asides}
    return strategy.parallelism, replace(settings, seed=seed, **same)


def _unused(name: str, names: Collection[str]) -> str:
    tried = (name if number == 1 else f"{name}-{number}" for number in count(1))
    return next(each for each in tried if each not in names)
