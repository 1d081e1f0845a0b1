"""Whether the disk has room for what a training will save, looked at before it starts."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from engine.errors import CheckpointError, ExperimentError
from engine.journal import checkpoints, layout
from engine.plan import space
from engine.plan.runs import RunPlan

_CLASSES = 1000
"""Counted where it is not known how many there are: it is little beside the rest."""


def free_bytes(place: Path) -> int | None:
    """What is free where ``place`` is or will be made; ``None`` where that cannot be told."""
    for each in (place, *place.parents):
        try:
            return shutil.disk_usage(each).free
        except FileNotFoundError:
            continue
        except OSError:
            return None
    return None


def too_little(
    place: Path,
    plans: Sequence[RunPlan],
    classes: int | None = None,
    there: int = 0,
    images: int | None = None,
) -> str:
    """Why ``plans`` should not be started there, a sentence; empty where there is room.

    ``there``: bytes of checkpoints that they have already; ``images`` of training, where they are
    known. A run whose time is limited is not refused for what it would keep of epochs for which
    there may be no time.
    """
    classes = classes or _CLASSES
    bare = [replace(each, settings=replace(each.settings, backup_epochs=0)) for each in plans]
    timed = [
        without if each.settings.max_time is not None else each
        for each, without in zip(plans, bare, strict=True)
    ]
    need, least = (space.needed(each, classes, there, images) for each in (timed, bare))
    return space.too_little(need, least, free_bytes(place), str(place))


def check(
    place: Path,
    plans: Sequence[RunPlan],
    classes: int | None = None,
    there: int = 0,
    images: int | None = None,
) -> None:
    """Raises ``ExperimentError`` where there is too little room for ``plans``."""
    if why := too_little(place, plans, classes, there, images):
        raise ExperimentError(why)


def check_resume(experiment: Path, plans: Sequence[RunPlan]) -> None:
    """The same for runs of an experiment that have saved something already."""
    runs = [experiment / each.run for each in plans]
    check(experiment, plans, _classes(runs), sum(map(_used, runs)))


def _used(run: Path) -> int:
    """Bytes of its checkpoints; a file with two names counts once."""
    sizes = {}
    for path in (run / layout.CHECKPOINTS).glob("*.pt"):
        try:
            found = path.stat()
        except OSError:
            continue
        sizes[found.st_ino] = found.st_size
    return sum(sizes.values())


def _classes(runs: Sequence[Path]) -> int | None:
    for run in runs:
        try:
            return checkpoints.read_header(run / layout.CHECKPOINTS / layout.LAST).classes
        except CheckpointError:
            continue
    return None
