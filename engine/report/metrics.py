"""``metrics.npz``: what one run measured while it learned, as plain arrays.

``python -m engine.report.metrics DIRECTORY RUN`` writes it into the run's directory.
``numpy.load(path)`` reads it; nothing in it is pickled. Rows that a resume has undone are left out.

Of each training step, the mean over all ranks (weighted by images):

- ``train_step``: optimiser steps that were done after it, from 1 (int64)
- ``train_time``: when it began, in seconds since the Unix epoch
- ``train_loss``, ``train_top1``, ``train_top5``: of its images, 0..1 for the latter two; NaN where
  it was not finite, or was not measured (float32, as the rest of the steps)
- ``learning_rate``
- ``train_images``: images over all ranks
- ``train_seconds``: wall time

Of each epoch's training part, exact over all images (int64 and float64): ``epoch`` (from 1),
``epoch_step``, ``epoch_time`` (its end), ``epoch_loss``, ``epoch_top1``, ``epoch_top5``,
``epoch_images``, ``epoch_seconds``.

Of each validation, exact: ``val_epoch`` (from 1), ``val_step``, ``val_time`` (its end),
``val_loss``, ``val_top1``, ``val_top5``, ``val_images``, ``val_seconds``.

``schema`` is the version of these names: 1.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.errors import EXIT_DONE, EXIT_WRONG_INPUT, ExperimentError, ResnetTuiError
from engine.journal import layout
from engine.journal.attempts import RankEvents
from engine.journal.curves import HistoryView
from engine.journal.events import AnyEvent, Steps
from engine.journal.files import Tail, parse
from engine.plan.text import clean
from engine.report.whole import whole

NAME = "metrics.npz"
SCHEMA = 1

Arrays = dict[str, NDArray[Any]]

COLUMNS = {
    "loss": "train_loss",
    "top1": "train_top1",
    "top5": "train_top5",
    "lr": "learning_rate",
    "images": "train_images",
    "step_seconds": "train_seconds",
}
"""The columns of the journal that are taken, by the names that they have here."""

_CHUNK = 4 * 2**20
"""Bytes of a journal that are read at once."""
_UNBOUNDED = 2**62
"""Every row is kept: a million steps of one rank are 28 MB."""


def write_metrics(directory: Path, run: str) -> Path:
    """Writes the run's ``metrics.npz``, whole or not at all, and returns its path.

    Raises ``ExperimentError`` where there is no such run, where it has not begun, or where the file
    cannot be written.
    """
    path = directory / run / NAME
    arrays = collect(directory, run)
    with whole(path) as place, place.open("wb") as file:
        # To numpy 1 every keyword is an array, `allow_pickle` as well; to the types of numpy 2 none
        # is. There are no objects here that it could pickle.
        cast("Any", np.savez)(file, **arrays)
    return path


def collect(directory: Path, run: str) -> Arrays:
    """The arrays of a run, from its own journals alone; raises ``ExperimentError``."""
    journals = [each for each in layout.rank_journals(directory) if each.run == run]
    if not journals:
        raise ExperimentError(
            f"{clean(str(directory))} has measured nothing of a run {clean(run)!r}; "
            "there is something once it has begun"
        )
    events = RankEvents()
    events.history.budget = _UNBOUNDED
    for journal in journals:
        for event in _events(journal.path):
            events.apply(journal.attempt, journal.rank, event)
    return {
        "schema": np.array(SCHEMA),
        **steps(events.history.freeze()),
        **_epochs(events),
        **_validations(events),
    }


def steps(history: HistoryView) -> Arrays:
    """Of each step that every rank has finished."""
    tracks = [segment.track for segment in history.segments.get(None, ())]
    rows = [np.arange(track.size) for track in tracks]
    arrays: Arrays = {
        "train_step": _joined(
            [each + track.base + 1 for each, track in zip(rows, tracks, strict=True)], np.int64
        ),
        "train_time": _joined(
            [track.times(each) for each, track in zip(rows, tracks, strict=True)], np.float64
        ),
    }
    for metric, name in COLUMNS.items():
        index = history.metrics.index(metric) if metric in history.metrics else None
        arrays[name] = _joined(
            [
                np.full(track.size, np.nan) if index is None else track.metric(index, 0, track.size)
                for track in tracks
            ],
            np.float32,
        )
    return arrays


def _epochs(events: RankEvents) -> Arrays:
    epochs = events.epochs()
    return {
        "epoch": np.array([each.epoch + 1 for each in epochs], np.int64),
        "epoch_step": np.array([each.end_step for each in epochs], np.int64),
        "epoch_time": np.array([each.t for each in epochs], np.float64),
        "epoch_loss": np.array([each.loss for each in epochs], np.float64),
        "epoch_top1": np.array([each.top1 for each in epochs], np.float64),
        "epoch_top5": np.array([each.top5 for each in epochs], np.float64),
        "epoch_images": np.array([each.images for each in epochs], np.int64),
        "epoch_seconds": np.array([each.seconds for each in epochs], np.float64),
    }


def _validations(events: RankEvents) -> Arrays:
    validations = events.validations()
    return {
        "val_epoch": np.array([each.epoch + 1 for each in validations], np.int64),
        "val_step": np.array([each.step for each in validations], np.int64),
        "val_time": np.array([each.t for each in validations], np.float64),
        "val_loss": np.array([each.loss for each in validations], np.float64),
        "val_top1": np.array([each.top1 for each in validations], np.float64),
        "val_top5": np.array([each.top5 for each in validations], np.float64),
        "val_images": np.array([each.images for each in validations], np.int64),
        "val_seconds": np.array([each.seconds for each in validations], np.float64),
    }


def _events(path: Path) -> Iterator[AnyEvent]:
    """The events of a journal as far as it is written; of steps, the columns that are taken."""
    tail = Tail(path)
    while data := tail.read(_CHUNK):
        if tail.generation:
            raise ExperimentError(f"{clean(str(path))} was replaced while it was read; try again")
        for event in parse(data)[0]:
            yield _narrow(event)


def _narrow(event: AnyEvent) -> AnyEvent:
    if not isinstance(event, Steps) or len(event.names) != len(event.columns):
        return event
    taken = [place for place, name in enumerate(event.names) if name in COLUMNS]
    return msgspec.structs.replace(
        event,
        names=tuple(event.names[place] for place in taken),
        columns=tuple(event.columns[place] for place in taken),
    )


def _joined(parts: Sequence[NDArray[Any]], kind: type[np.generic]) -> NDArray[Any]:
    return np.concatenate(parts).astype(kind) if parts else np.empty(0, kind)


def main(argv: Sequence[str] | None = None) -> int:
    arguments = sys.argv[1:] if argv is None else list(argv)
    if len(arguments) != 2:
        print("usage: python -m engine.report.metrics DIRECTORY RUN", file=sys.stderr)
        return EXIT_WRONG_INPUT
    try:
        write_metrics(Path(arguments[0]), arguments[1])
    except ResnetTuiError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return EXIT_DONE


if __name__ == "__main__":
    sys.exit(main())
