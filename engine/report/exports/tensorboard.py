"""Runs as TensorBoard event files, so that existing tools read them.

``DIR/EXPERIMENT/RUN/events.out.tfevents.resnet-tui``, with wall times from the journal and, as the
step, how many optimiser steps were done:

- of every step: ``train/loss``, ``train/top1``, ``train/lr``, ``train/step_seconds``;
- of every epoch: ``epoch/loss``, ``epoch/top1``, ``epoch/images_per_second`` (images over wall
  time of its training part), ``epoch/seconds``;
- of every validation: ``val/loss``, ``val/top1``, ``val/top5``, ``val/seconds``.

Accuracies in 0..1. What is not finite is written as it is: TensorBoard marks it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import WrongInput
from engine.report.metrics import Arrays
from engine.report.whole import refused, whole

if TYPE_CHECKING:
    from tensorboard.compat.proto.event_pb2 import Event

MISSING = "event files need tensorboard, which is an extra: pip install 'resnet-tui[tensorboard]'"
NAME = "events.out.tfevents.resnet-tui"

_STEPS = {
    "train/loss": "train_loss",
    "train/top1": "train_top1",
    "train/lr": "learning_rate",
    "train/step_seconds": "train_seconds",
}
_EPOCHS = {
    "epoch/loss": "epoch_loss",
    "epoch/top1": "epoch_top1",
    "epoch/seconds": "epoch_seconds",
}
_VALIDATIONS = {
    "val/loss": "val_loss",
    "val/top1": "val_top1",
    "val/top5": "val_top5",
    "val/seconds": "val_seconds",
}


def event_file(directory: Path, experiment: str, run: str) -> Path:
    """Where a run's events go."""
    return directory.absolute() / experiment / run / NAME


def write_events(arrays: Arrays, path: Path) -> Path:
    """Writes what ``metrics.collect`` found as an event file, whole or not at all.

    Raises ``WrongInput`` without tensorboard, ``ExperimentError`` where it cannot be written.
    """
    try:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.summary.writer.record_writer import RecordWriter
    except ImportError as error:
        raise WrongInput(MISSING) from error
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise refused(path, error) from error
    with whole(path) as place, place.open("wb") as file:
        writer = RecordWriter(file)
        # The version by which readers know the format.
        first = Event(wall_time=_begun(arrays), file_version="brain.Event:2")
        for event in chain((first,), _events(arrays)):
            writer.write(event.SerializeToString())
        writer.flush()
    return path


def _events(arrays: Arrays) -> Iterator[Event]:
    """Steps, then epochs, then validations: readers keep each tag apart."""
    # The time of a step is when it ended, as that of an epoch is.
    ended = arrays["train_time"] + np.nan_to_num(arrays["train_seconds"].astype(np.float64))
    yield from _scalars(
        arrays["train_step"], ended, {tag: arrays[name] for tag, name in _STEPS.items()}
    )
    seconds = arrays["epoch_seconds"]
    rates = np.divide(
        arrays["epoch_images"], seconds, out=np.full(len(seconds), np.nan), where=seconds > 0
    )
    values = {tag: arrays[name] for tag, name in _EPOCHS.items()}
    values["epoch/images_per_second"] = rates
    yield from _scalars(arrays["epoch_step"], arrays["epoch_time"], values)
    values = {tag: arrays[name] for tag, name in _VALIDATIONS.items()}
    yield from _scalars(arrays["val_step"], arrays["val_time"], values)


def _scalars(
    steps: NDArray[Any], times: NDArray[Any], values: dict[str, NDArray[Any]]
) -> Iterator[Event]:
    """One event per row with all of its values."""
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary

    columns: Sequence[tuple[str, list[float]]] = [
        (tag, column.astype(np.float64).tolist()) for tag, column in values.items()
    ]
    for place, (step, t) in enumerate(zip(steps.tolist(), times.tolist(), strict=True)):
        scalars = [Summary.Value(tag=tag, simple_value=column[place]) for tag, column in columns]
        yield Event(wall_time=t, step=step, summary=Summary(value=scalars))


def _begun(arrays: Arrays) -> float:
    return float(arrays["train_time"][0]) if arrays["train_time"].size else 0.0
