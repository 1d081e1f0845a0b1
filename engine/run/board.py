"""``summary.json``: what a list of experiments shows, kept up to date by the supervisor."""

from __future__ import annotations

import os
import time
from pathlib import Path

import msgspec

from engine.errors import ExperimentError
from engine.experiment import write_atomically
from engine.journal import layout
from engine.journal.files import boot_id
from engine.run.queue import Queue
from engine.run.watch import Watch
from engine.summary import RunSummary, State, Summary

PERIOD = 3.0
"""Seconds between two writes while nothing but figures change."""


class Board:
    """Remembers the figures of every run, those of an earlier supervisor included."""

    def __init__(self, directory: Path, before: Summary | None) -> None:
        self._path = directory / layout.SUMMARY
        self._figures = {each.run: each for each in before.runs} if before else {}
        self._last_runs: tuple[RunSummary, ...] | None = None
        self._stopping = False
        self._written = 0.0

    def note(self, run: str, strategy: str, watch: Watch) -> None:
        """Takes the figures of the running attempt."""
        before = self._figures.get(run)
        best = watch.best_top1
        if watch.from_step and before is not None and before.best_top1 is not None:
            best = max(before.best_top1, best or 0.0)
        self._figures[run] = RunSummary(
            run=run,
            strategy=strategy,
            state="running",
            epoch=watch.epoch,
            epochs=watch.epochs,
            best_top1=best,
        )

    def write(self, state: State, queue: Queue, stopping: bool = False) -> None:
        """Writes what changed: states at once, figures every few seconds."""
        runs = tuple(
            msgspec.structs.replace(
                self._figures.get(name)
                or RunSummary(run=name, strategy=place.plan.strategy.name, state=place.state),
                state=place.state,
                reason=place.reason,
            )
            for name, place in queue.places.items()
        )
        now = time.monotonic()
        changed = (
            self._last_runs is None
            or state != "running"
            or stopping != self._stopping
            or _states(runs) != _states(self._last_runs)
        )
        if not changed and now - self._written < PERIOD:
            return
        self._last_runs, self._stopping, self._written = runs, stopping, now
        summary = Summary(
            state=state,
            host=os.uname().nodename,
            boot=boot_id(),
            pid=os.getpid(),
            updated=time.time(),
            runs=runs,
            stopping=stopping,
        )
        try:
            write_atomically(self._path, msgspec.json.encode(summary))
        except ExperimentError as error:
            print(error, flush=True)  # Into supervisor.log: a list is not worth an experiment.


def _states(runs: tuple[RunSummary, ...]) -> list[str]:
    return [each.state for each in runs]
