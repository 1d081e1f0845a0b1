"""From a run to the command that trains it: pure, nothing is spawned here."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from engine.experiment import Experiment
from engine.plan.runs import RunPlan

PARENT = "RESNET_TUI_PARENT"
"""Environment variable with the supervisor's pid: a rank whose parent is another ends itself."""


@dataclass(frozen=True, slots=True)
class Launch:
    """A command, and what it needs in its environment beside what its launcher has."""

    argv: tuple[str, ...]
    environment: dict[str, str]
    ranks: int = 1
    """How many ranks it becomes, each with a journal of its own."""


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
) -> Launch:
    """The command of one attempt of ``run``.

    ``cores`` (default: those this process may use) are shared by the ranks of this node, the same
    in every strategy, or their comparison would be void. ``parent`` is who will launch it.
    """
    inherited = os.environ if inherited is None else inherited
    local_ranks = 1
    threads = max(1, (cores or available_cores()) // local_ranks)
    environment = torch_environment(inherited) | {
        PARENT: str(parent or os.getpid()),
        # Set, because a shell inside a cluster job may carry those of another job.
        "RANK": "0",
        "LOCAL_RANK": "0",
        "LOCAL_WORLD_SIZE": str(local_ranks),
        "WORLD_SIZE": str(local_ranks),
    }
    if "OMP_NUM_THREADS" not in inherited:
        environment["OMP_NUM_THREADS"] = str(threads)
    argv = python(
        *("-m", "engine.train", "fit"),
        *("--experiment", str(experiment.directory)),
        *("--run", run.run),
        *("--attempt", str(attempt)),
    )
    return Launch(argv, environment)


def available_cores() -> int:
    """Cores that this process may be scheduled on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
