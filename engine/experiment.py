"""The noun everything shares: create, open, judge and delete an experiment directory."""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from engine import registry
from engine.errors import ExperimentError
from engine.journal import layout
from engine.journal.files import boot_id
from engine.journal.lock import is_held
from engine.plan import older
from engine.plan.config import Settings
from engine.plan.defaults import asked_for
from engine.plan.machine import ANY, Machine
from engine.plan.runs import ExperimentPlan, RunPlan, plan_runs
from engine.plan.strategies import Strategy
from engine.plan.text import clean
from engine.summary import State, Summary

_STARTING = 20.0
"""Seconds that a supervisor may take from its spawning to its lock and first journal line."""


@dataclass(frozen=True, slots=True)
class Experiment:
    """An experiment on disk."""

    directory: Path
    plan: ExperimentPlan

    @property
    def name(self) -> str:
        return self.directory.name

    @property
    def title(self) -> str:
        """Its name as it is shown: the directory may have been renamed to anything."""
        return clean(self.name)

    def summary(self) -> Summary | None:
        """What the supervisor last wrote; ``None`` before it wrote anything."""
        try:
            data = (self.directory / layout.SUMMARY).read_bytes()
            return msgspec.json.decode(data, type=Summary)
        except (OSError, msgspec.MsgspecError):
            return None

    def state(self) -> State:
        """What can be said of it now, from here."""
        held = is_held(self.directory / layout.LOCK)
        summary = self.summary()
        if summary is None:
            if not self.directory.is_dir():
                return "crashed"  # Deleted under whoever looks at it.
            if held:
                return "starting"
            return "starting" if time.time() - self.plan.created < _STARTING else "crashed"
        if summary.state != "running":
            # A supervisor that has only just begun again (retry) holds the lock already.
            return "running" if held else summary.state
        if held:
            return "running"
        if summary.host != os.uname().nodename or summary.boot != boot_id():
            return "silent"
        # Where the lock cannot be queried, the process is looked for.
        return "running" if held is None and _is_alive(summary.pid) else "crashed"


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def create(
    parent: Path,
    dataset: Path,
    settings: Settings,
    *,
    strategies: tuple[Strategy, ...],
    sources: dict[str, str],
    machine: Machine = ANY,
) -> Experiment:
    """Makes the directory of a new experiment, writes its plan and registers it.

    Raises ``StrategyError`` where ``machine`` cannot run it; then there is no directory.
    """
    created = time.time()
    dataset = dataset.absolute()
    _check_name(dataset)
    stem = time.strftime("%Y-%m-%d_%H%M%S", time.localtime(created)) + "_" + _slug(dataset.name)
    runs = plan_runs(dataset, settings, strategies, machine, asked_for(sources))
    directory = _make_directory(parent, stem)
    plan = ExperimentPlan(
        name=directory.name,
        created=created,
        dataset=str(dataset),
        settings=settings,
        runs=runs,
        sources=sources,
    )
    try:
        _write_plan(directory, plan)
    except ExperimentError:
        directory.rmdir()
        raise
    registry.register(directory)
    return Experiment(directory, plan)


def extend(experiment: Experiment, runs: Sequence[RunPlan]) -> Experiment:
    """The experiment with further runs in its plan, on the disk as well.

    For who has the experiment's lock, and nobody else. Raises ``ExperimentError``.
    """
    plan = replace(experiment.plan, runs=(*experiment.plan.runs, *runs))
    _write_plan(experiment.directory, plan)
    return Experiment(experiment.directory, plan)


def replan(experiment: Experiment, runs: Sequence[RunPlan]) -> Experiment:
    """The experiment with other plans for runs that it has, by their names; on the disk as well.

    For who has the experiment's lock, and nobody else. Raises ``ExperimentError``.
    """
    others = {run.run: run for run in runs}
    kept = tuple(others.pop(run.run, run) for run in experiment.plan.runs)
    if others:
        raise ExperimentError(f"{experiment.name} has no run {', '.join(others)}")
    plan = replace(experiment.plan, runs=kept)
    _write_plan(experiment.directory, plan)
    return Experiment(experiment.directory, plan)


def open_directory(directory: Path) -> Experiment:
    """The experiment in that directory; raises ``ExperimentError`` where there is none."""
    try:
        data = (directory / layout.PLAN).read_bytes()
        plan = older.translate(msgspec.json.decode(data))
        return Experiment(directory, msgspec.convert(plan, ExperimentPlan))
    except OSError as error:
        raise ExperimentError(
            f"{directory} is no experiment: its {layout.PLAN} cannot be read ({error.strerror})"
        ) from error
    except (msgspec.MsgspecError, LookupError, TypeError, AttributeError) as error:
        raise ExperimentError(
            f"{directory / layout.PLAN} is damaged or of another version ({error})"
        ) from error


def delete(experiment: Experiment) -> None:
    """Removes an experiment with all it holds; raises ``ExperimentError`` while it runs."""
    if experiment.state() in ("starting", "running"):
        raise ExperimentError(f"{experiment.name} is running; stop it first")
    try:
        shutil.rmtree(experiment.directory)
    except OSError as error:
        raise ExperimentError(f"cannot delete {experiment.directory}: {error.strerror}") from error
    registry.forget(experiment.directory)


def write_atomically(path: Path, data: bytes) -> None:
    """Replaces a small file so that a reader sees the old or the new one, never a part."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_bytes(data)
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise ExperimentError(f"cannot write {path}: {error.strerror}") from error


def _write_plan(directory: Path, plan: ExperimentPlan) -> None:
    write_atomically(directory / layout.PLAN, msgspec.json.format(msgspec.json.encode(plan)))


def _check_name(dataset: Path) -> None:
    try:
        str(dataset).encode()
    except UnicodeEncodeError as error:
        raise ExperimentError(
            f"the path {clean(str(dataset))} holds bytes that are no UTF-8, which the plan cannot "
            "hold; rename the folder, or reach it through a symbolic link"
        ) from error


def _make_directory(parent: Path, stem: str) -> Path:
    for number in range(1, 1000):
        directory = parent / (stem if number == 1 else f"{stem}-{number}")
        try:
            directory.mkdir(parents=True)
            return directory.resolve()
        except FileExistsError:
            continue
        except OSError as error:
            raise ExperimentError(
                f"cannot create {directory}: {error.strerror}; choose another place with "
                "--experiments-dir"
            ) from error
    raise ExperimentError(f"{parent} is full of experiments called {stem}")


def _slug(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.")[:40] or "dataset"
