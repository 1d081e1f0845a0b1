"""The experiments on disk, as rows of a list. No journal is opened for it."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

from engine import lookup
from engine.experiment import Experiment
from engine.journal.commands import TAKEN_OUT
from engine.plan.text import clean
from tui.kept import has_checkpoint

RUNNING = ("starting", "running")
OVER = ("failed", "stopped", "crashed")
"""States after which it can be gone on with."""

_EXPECTED = ("", TAKEN_OUT)
"""Reasons that need no telling: somebody asked for that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentRow:
    """One experiment in a list; texts are cleaned, ``None`` is unknown."""

    directory: Path
    name: str
    created: float
    """Seconds since the Unix epoch."""
    state: str
    """As ``Experiment.state`` has it, or ``stopping``."""
    dataset: str
    """Name of the dataset's folder."""
    model: str
    strategies: tuple[str, ...]
    best_top1: float | None
    """0..1, over all runs."""
    runs: int = 0
    """Of the plan, where a strategy has more than one; else 0."""
    done: int = 0
    """Of these, how many are done."""
    seconds: float | None
    """From its creation to its end, or to now while it runs."""
    reason: str = ""
    """Why it failed or was stopped, where that is known."""
    kept: bool = False
    """Whether it is over, and a run that is not done has a checkpoint to go on from."""

    @property
    def running(self) -> bool:
        return self.state in (*RUNNING, "stopping")


def rows(parent: Path) -> tuple[ExperimentRow, ...]:
    """Every experiment known here or lying in ``parent``, newest first. Blocking: for a thread."""
    now = time.time()
    return tuple(_row(each, now) for each in lookup.known(parent))


def running_here(parent: Path) -> tuple[str, ...]:
    """Names of the experiments that train on this machine now. Blocking: for a thread."""
    names = []
    for each in lookup.known(parent):
        summary = each.summary()
        here = summary is None or summary.host == os.uname().nodename
        if here and each.state() in RUNNING:
            names.append(clean(each.name))
    return tuple(names)


def _row(each: Experiment, now: float) -> ExperimentRow:
    summary = each.summary()
    state = each.state()
    runs = summary.runs if summary else ()
    accuracies = [run.best_top1 for run in runs if run.best_top1 is not None]
    strategies = tuple(dict.fromkeys(clean(run.strategy.name) for run in each.plan.runs))
    several = len(each.plan.runs) > len(strategies)
    end = now if state in RUNNING else summary.updated if summary else None
    return ExperimentRow(
        directory=each.directory,
        name=clean(each.name),
        created=each.plan.created,
        state="stopping" if summary and summary.stopping and state == "running" else state,
        dataset=clean(Path(each.plan.dataset).name),
        model=clean(each.plan.settings.model),
        strategies=strategies,
        best_top1=max(accuracies, default=None),
        runs=len(each.plan.runs) if several else 0,
        done=sum(run.state == "done" for run in runs),
        seconds=None if end is None else max(0.0, end - each.plan.created),
        reason=clean(next((run.reason for run in runs if run.reason not in _EXPECTED), "")),
        kept=state in OVER and _kept(each, {run.run for run in runs if run.state == "done"}),
    )


def _kept(each: Experiment, done: set[str]) -> bool:
    left = (run.run for run in each.plan.runs if run.run not in done)
    return any(has_checkpoint(each.directory / run) for run in left)
