"""From a run to the command that trains it: pure, nothing is spawned here."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from engine.experiment import Experiment
from engine.journal import layout
from engine.plan.runs import RunPlan
from engine.run import torchrun

PARENT = "RESNET_TUI_PARENT"
"""Environment variable with the supervisor's pid: a rank whose parent is another ends itself."""


_A_WORLD_OF_ONE = {"RANK": "0", "LOCAL_RANK": "0", "LOCAL_WORLD_SIZE": "1", "WORLD_SIZE": "1"}
"""Set, because a shell inside a cluster job may carry those of another job."""


@dataclass(frozen=True, slots=True)
class Launch:
    """A command, and what it needs in its environment beside what its launcher has."""

    argv: tuple[str, ...]
    environment: dict[str, str]
    ranks: int = 1
    """How many ranks it becomes, each with a journal of its own."""
    by_torchrun: bool = False
    """Whether it is torchrun's process, and the ranks are its children."""

    def environment_in(self, inherited: Mapping[str, str]) -> dict[str, str]:
        """The whole environment of the command, where its launcher has ``inherited``."""
        kept = {name: inherited[name] for name in inherited if not torchrun.is_foreign(name)}
        return kept | self.environment


def python(*arguments: str) -> tuple[str, ...]:
    """A command of this installation's Python.

    ``-P`` keeps the working directory out of the import path, where a folder called ``engine``
    would be taken for ours.
    """
    return (sys.executable, "-P", *arguments)


def torch_environment(inherited: Mapping[str, str]) -> dict[str, str]:
    """What every process with torch needs, the probe included, so that all number GPUs alike."""
    environment = {"PYTHONUNBUFFERED": "1"}
    if "CUDA_DEVICE_ORDER" not in inherited:
        environment["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID"
    return environment


def rank_command(
    experiment: Experiment,
    run: RunPlan,
    attempt: int,
    *,
    cores: int | None = None,
    parent: int | None = None,
    inherited: Mapping[str, str] | None = None,
    resume: str = "",
) -> Launch:
    """The command of one attempt of ``run``.

    ``cores`` (default: those this process may use) are shared by the ranks of this node, the same
    in every strategy, or their comparison would be void. ``parent`` is who will launch it.
    ``resume``: the checkpoint that it goes on from, relative to the directory of the run.
    """
    inherited = os.environ if inherited is None else inherited
    threads = max(1, (cores or available_cores()) // run.ranks)
    environment = torch_environment(inherited) | {PARENT: str(parent or os.getpid())}
    if "OMP_NUM_THREADS" not in inherited:
        # Set for torchrun as well, which would give each rank a single thread.
        environment["OMP_NUM_THREADS"] = str(threads)
    rank = (
        *("-m", "engine.train", "fit"),
        *("--experiment", str(experiment.directory)),
        *("--run-name", run.run),
        *("--attempt", str(attempt)),
        *(("--resume", resume) if resume else ()),
    )
    if run.strategy.launched_by_torchrun:
        directory = layout.attempt_directory(experiment.directory, run.run, attempt)
        environment |= torchrun.environment(directory)
        argv = torchrun.command(run.ranks, *rank)
        return Launch(argv, environment, run.ranks, by_torchrun=True)
    return Launch(python(*rank), environment | _A_WORLD_OF_ONE)


def available_cores() -> int:
    """Cores that this process may be scheduled on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
