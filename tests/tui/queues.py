"""Experiments whose queue is at a known point: no rank wrote a word, the supervisor did."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from engine import experiment
from engine.experiment import Experiment, write_atomically
from engine.journal import events, layout
from engine.journal.events import Event
from engine.journal.files import Appender, boot_id, writer_fields
from engine.journal.fold import ExperimentFold
from engine.plan.config import Settings
from engine.plan.runs import ExperimentPlan, RunPlan, plan_runs
from engine.plan.strategies import Strategy, strategy
from engine.summary import State, Summary
from tui.feed import Snapshot

NOW = 1_000_000.0
DATASET = Path("/data/ants")


def strategies(count: int) -> tuple[Strategy, ...]:
    """So many different ones."""
    first = Strategy(name="accumulate-1", explanation="a whole batch at once")
    return (
        first,
        *(
            Strategy(name=f"accumulate-{parts}", explanation="in parts", accumulate=parts)
            for parts in range(2, count + 1)
        ),
    )


def supervised(
    runs: Sequence[RunPlan],
    took: Sequence[float],
    *,
    now: float = NOW,
    running: float | None = None,
    failed: Iterable[int] = (),
) -> list[Event]:
    """The first runs took so many seconds, one after the other; the next one runs for ``running``
    seconds, where that is given; the rest waits."""
    began = now - sum(took) - (running or 0.0)
    told: list[Event] = [events.SupervisorStarted(t=began, **writer_fields())]
    told += [
        events.RunQueued(
            t=began,
            run=each.run,
            strategy=each.strategy.name,
            seed=each.settings.seed,
            repeat=each.repeat,
        )
        for each in runs
    ]
    t = began
    for place, seconds in enumerate(took):
        run = runs[place].run
        told.append(events.RunStarted(t=t, run=run, attempt=1, argv=(), pid=1))
        t += seconds
        bad = place in failed
        told.append(
            events.RunEnded(
                t=t,
                run=run,
                attempt=1,
                state="failed" if bad else "done",
                reason="it broke" if bad else "",
            )
        )
    if running is not None:
        run = runs[len(took)].run
        told.append(events.RunStarted(t=t, run=run, attempt=1, argv=(), pid=1))
    return told


def snapshot(
    names: Sequence[str],
    took: Sequence[float],
    *,
    repeats: int = 1,
    running: float | None = None,
    failed: Iterable[int] = (),
    more: Sequence[Event] = (),
    find_batch: bool = False,
    state: State = "running",
) -> Snapshot:
    """What a feed would leave of it at ``NOW``."""
    settings = Settings(repeats=repeats, find_batch=find_batch)
    runs = plan_runs(DATASET, settings, tuple(strategy(name) for name in names))
    plan = ExperimentPlan(
        name="x", created=NOW, dataset=str(DATASET), settings=settings, runs=runs, sources={}
    )
    fold = ExperimentFold()
    for event in (*supervised(runs, took, running=running, failed=failed), *more):
        fold.apply_supervisor(event)  # type: ignore[arg-type]
    return Snapshot(1, Experiment(Path("/x"), plan), fold.freeze(), state, (), None, True)


def write_queue(
    parent: Path,
    chosen: tuple[Strategy, ...],
    *,
    repeats: int = 1,
    done: int = 0,
    failed: Iterable[int] = (),
) -> Experiment:
    """On the disk: ``done`` runs took 10 s each, the next one runs. Its lock is free."""
    settings = Settings(model="resnet18", repeats=repeats)
    made = experiment.create(parent, DATASET, settings, strategies=chosen, sources={})
    tell(
        made.directory,
        *supervised(made.plan.runs, [10.0] * done, now=events.now(), running=3.0, failed=failed),
    )
    summary = Summary(
        state="running",
        host=os.uname().nodename,
        boot=boot_id(),
        pid=os.getpid(),
        updated=events.now(),
    )
    write_atomically(made.directory / layout.SUMMARY, msgspec.json.encode(summary))
    return made


def tell(directory: Path, *told: Event) -> None:
    """As its supervisor would."""
    appender = Appender(directory / layout.SUPERVISOR_JOURNAL)
    for event in told:
        appender.append(event)
    appender.close()
