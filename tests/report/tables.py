"""Experiments of several strategies and repeats with known throughputs, folded from events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from msgspec import structs

from engine.journal.events import (
    AttemptStarted,
    EndState,
    Event,
    NodeStarted,
    Ready,
    RunEnded,
    RunQueued,
    RunStarted,
    SupervisorStarted,
)
from engine.journal.fold import ExperimentFold
from engine.plan.config import Settings
from engine.plan.machine import Machine
from engine.plan.runs import ExperimentPlan, RunPlan, plan_runs
from engine.plan.strategies import strategy
from engine.report.comparison import Row, Source
from engine.report.difference import Difference
from engine.report.figures import Figures
from tests.report.views import NOW, WRITER, begun, memory, phase, ready, trained, validated

CPU = Machine(torch="2.15", cores=2)
HASHES = {name: f"{name} hash" for name in ("weights", "split", "order", "augmentation", "batches")}
IMAGES = 1000
"""Of each epoch."""

Rates = Mapping[str, Sequence[float | None]]
"""Images per second by strategy, for each repeat; ``None``: it waits still."""


def plan_of(
    strategies: Sequence[str], repeats: int = 1, machine: Machine = CPU, **settings: Any
) -> ExperimentPlan:
    settings.setdefault("device", "cpu")
    chosen = Settings(repeats=repeats, epochs=2, batch_size=100, **settings)
    runs = plan_runs(Path("/photographs"), chosen, tuple(map(strategy, strategies)), machine)
    return ExperimentPlan(
        name="first",
        created=NOW,
        dataset="/photographs",
        settings=chosen,
        runs=runs,
        sources={},
    )


def told(plan: RunPlan, rate: float, **more: Any) -> list[Event]:
    """Two epochs: a first one at half the rate, which does not count, and one at ``rate``."""
    first, second = 2 * IMAGES / rate, IMAGES / rate
    known: dict[str, Any] = {
        "epochs": 2,
        "steps_per_epoch": 10,
        "batch_size": plan.settings.batch_size,
        "hashes": {name: f"{value} {plan.settings.seed}" for name, value in HASHES.items()},
        "threads": 2 // plan.ranks,
        **more,
    }
    return [
        phase("importing torch", 0.5),
        ready(**known),
        begun(0, 0),
        trained(0, 10, IMAGES, 2.0 * IMAGES, first, 0.1 * first),
        validated(0, 10, top1=60, loss_sum=90.0),
        begun(1, 10),
        trained(1, 20, IMAGES, 1.0 * IMAGES, second, 0.1 * second),
        validated(1, 20, top1=80, loss_sum=50.0),
        memory(),
    ]


def source_of(
    plan: ExperimentPlan,
    rates: Rates,
    *,
    name: str = "first",
    ends: Mapping[str, tuple[EndState, str]] | None = None,
    readies: Mapping[str, Mapping[str, Any]] | None = None,
    versions: Mapping[str, Mapping[str, str]] | None = None,
    extra: Sequence[Event] = (),
    crashed: bool = False,
) -> Source:
    """``ends``: how the runs of these names ended, where not well; ``readies``, ``versions``: what
    the runs of a strategy, or of one name, told otherwise; ``extra``: words of the supervisor."""
    fold = ExperimentFold()
    fold.apply_supervisor(SupervisorStarted(t=NOW, **WRITER))  # type: ignore[arg-type]
    node = NodeStarted(t=NOW, node=0, cores=2, memory_total=2**34, machine="box", **WRITER)  # type: ignore[arg-type]
    fold.apply_node(0, node)
    for run in plan.runs:
        fold.apply_supervisor(
            RunQueued(t=NOW, run=run.run, strategy=run.strategy.name, seed=0, repeat=run.repeat)
        )
    for run in plan.runs:
        rate = rates[run.strategy.name][run.repeat]
        if rate is None:
            continue
        start = NOW
        fold.apply_supervisor(RunStarted(t=start, run=run.run, attempt=1, argv=("x",), pid=1))
        other = {**(readies or {}).get(run.strategy.name, {}), **(readies or {}).get(run.run, {})}
        events = told(run, rate, **other)
        if run.ranks > 1:
            # The first rank tells the whole; a rank without images takes nothing away.
            events = [_halved(each) for each in events]
        for rank in range(run.ranks):
            version = (versions or {}).get(run.strategy.name, {"torch": "2.15"})
            fold.apply_rank(
                run.run,
                1,
                rank,
                AttemptStarted(
                    t=start,
                    rank=rank,
                    world_size=run.ranks,
                    versions=dict(version),
                    **WRITER,  # type: ignore[arg-type]
                ),
            )
            for event in events:
                fold.apply_rank(run.run, 1, rank, event)  # type: ignore[arg-type]
        state, reason = (ends or {}).get(run.run, ("done", ""))
        fold.apply_supervisor(
            RunEnded(t=NOW + 100, run=run.run, attempt=1, state=state, reason=reason)
        )
    for event in extra:
        fold.apply_supervisor(event)  # type: ignore[arg-type]
    return Source(name=name, plan=plan, view=fold.freeze(), crashed=crashed)


def source(rates: Rates, **more: Any) -> Source:
    """An experiment of these strategies, planned as it would be."""
    settings = more.pop("settings", {})
    repeats = max(len(each) for each in rates.values())
    return source_of(plan_of(list(rates), repeats, **settings), rates, **more)


def figures(name: str = "single", repeat: int = 0, **more: Any) -> Figures:
    known = Figures(
        name=name,
        experiment="first",
        run=f"{repeat + 1:02d}-{name}",
        view="equal",
        repeat=repeat,
        repeats=1,
        state="done",
        reason="",
        device_kind="cpu",
    )
    return replace(known, **more)


def row(name: str, rates: Sequence[float], **more: Any) -> Row:
    """A row whose repeats had these throughputs; 0 for one that is not done."""
    repeats = tuple(
        figures(
            name,
            number,
            images_per_second=rate,
            repeats=int(rate > 0),
            state="done" if rate > 0 else "failed",
            **more,
        )
        for number, rate in enumerate(rates)
    )
    return Row(
        key=f"first/{name}",
        figures=figures(name, **more),
        repeats=repeats,
        difference=Difference(call="unknown"),
    )


def _halved(event: Event) -> Event:
    """A rank's share of what all told."""
    if isinstance(event, Ready) or not hasattr(event, "images"):
        return event
    if not hasattr(event, "wait_seconds"):
        return event
    return structs.replace(
        event,
        images=event.images // 2,
        loss_sum=event.loss_sum / 2,  # type: ignore[attr-defined]
        top1=event.top1 // 2,  # type: ignore[attr-defined]
        top5=event.top5 // 2,  # type: ignore[attr-defined]
    )
