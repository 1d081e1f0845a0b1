"""The noun everything shares: create, open, list, judge and delete an experiment directory."""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

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

State = Literal["starting", "running", "done", "failed", "stopped", "crashed", "silent"]
"""``crashed``: this host and boot, and nobody holds the lock. ``silent``: nobody here can tell."""

_STARTING = 20.0
"""Seconds that a supervisor may take from its spawning to its lock and first journal line."""


class RunSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One run in a list. Accuracies in 0..1; ``None`` is unknown."""

    run: str
    strategy: str
    state: str
    reason: str = ""
    epoch: int | None = None
    epochs: int | None = None
    best_top1: float | None = None


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """``summary.json``: what a list needs, so that a list never folds journals."""

    state: State
    host: str
    boot: str
    pid: int
    updated: float
    """Seconds since the Unix epoch; while the state is ``running`` at most some seconds old."""
    runs: tuple[RunSummary, ...] = ()
    stopping: bool = False
    """Whether all of it was asked to stop and is on its way there."""


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


def experiments_directory(chosen: str | None = None) -> Path:
    """Where new experiments go: the flag, else the environment, else ``./experiments``."""
    return Path(chosen or os.environ.get("RESNET_TUI_EXPERIMENTS") or "experiments").absolute()


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


def known(parent: Path | None = None) -> list[Experiment]:
    """Every experiment that is registered or lies in ``parent``, newest first, but damaged ones."""
    directories = {path.resolve() for path in registry.registered()}
    if parent is not None and parent.is_dir():
        directories.update(path.parent.resolve() for path in parent.glob(f"*/{layout.PLAN}"))
    experiments = []
    for directory in directories:
        try:
            experiments.append(open_directory(directory))
        except ExperimentError:
            continue
    return sorted(experiments, key=lambda each: each.plan.created, reverse=True)


def find(name: str | None, parent: Path) -> Experiment:
    """The experiment meant by a path, a name or a unique prefix of one.

    Without a name: the newest running one in ``parent``, else the newest running anywhere, else
    the newest.
    """
    if name and (Path(name) / layout.PLAN).is_file():
        return open_directory(Path(name).resolve())
    experiments = known(parent)
    if not experiments:
        raise ExperimentError("there is no experiment yet; 'resnet-tui train DATASET' starts one")
    if not name:
        running = [each for each in experiments if each.state() in ("starting", "running")]
        here = [each for each in running if each.directory.parent == parent.resolve()]
        return (here or running or experiments)[0]
    exact = [each for each in experiments if each.name == name]
    matching = exact or [each for each in experiments if each.name.startswith(name)]
    if not matching:
        raise ExperimentError(
            f"no experiment is called {clean(name)!r}; 'resnet-tui list' names them"
        )
    if len(matching) > 1:
        names = ", ".join(str(each.directory) for each in matching[:5])
        raise ExperimentError(
            f"{clean(name)!r} could be {names}; give more of the name, or its path"
        )
    return matching[0]


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
