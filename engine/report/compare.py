"""One row per run: what a table shows and an export writes. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from engine.journal.views import EpochView, ExperimentView, RunView


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One run. Accuracies and shares in 0..1, times in seconds, sizes in bytes; ``None`` unknown.

    Rates and times are of the training parts of epochs alone, validation and starting up left
    out, and without the first epoch, which warms up, where there is more than one.
    """

    name: str
    strategy: str
    state: str
    reason: str
    batch_size: int | None
    epochs: int
    """Epochs trained to their end."""
    images_per_second: float | None
    """Images over wall time."""
    batch_seconds: float | None
    """Median wall time of a step, over the latest steps (those whose rows are kept)."""
    wait_share: float | None
    """Share of the time spent waiting for data."""
    train_loss: float | None
    """Mean over the last epoch; NaN where it is not finite."""
    val_loss: float | None
    top1: float | None
    """At the last validation."""
    best_top1: float | None
    top5: float | None
    """``None`` with five classes or fewer, where it is 1 whatever the model does."""
    peak_memory: int | None
    """Of the rank that uses most: device memory reserved, on a CPU the process's memory."""
    train_seconds: float | None
    """Training parts of all epochs, the first included."""


def rows(view: ExperimentView, *, crashed: bool = False) -> tuple[Row, ...]:
    """The rows of an experiment, in the order of its plan.

    ``crashed``: its supervisor is dead, so that what the journals left running does not run.
    """
    found = tuple(_row(run) for run in view.runs)
    if not crashed:
        return found
    return tuple(replace(row, state="crashed") if row.state == "running" else row for row in found)


def _row(run: RunView) -> Row:
    epochs = tuple(epoch for epoch in run.epochs if epoch.images)
    validations = [each for each in run.validations if each.images]
    steady = epochs[1:] or epochs
    seconds = sum(epoch.seconds for epoch in steady)
    last = epochs[-1] if epochs else None
    validation = validations[-1] if validations else None
    return Row(
        name=run.run,
        strategy=run.strategy,
        state=run.state,
        reason=run.reason,
        batch_size=run.ready.batch_size if run.ready else None,
        epochs=_epochs_done(run),
        images_per_second=(
            sum(epoch.images for epoch in steady) / seconds if seconds > 0 else _step_rate(run)
        ),
        batch_seconds=_median_step(run),
        wait_share=_wait_share(steady, seconds),
        train_loss=last.loss if last else None,
        val_loss=validation.loss if validation else None,
        top1=validation.top1 if validation else None,
        best_top1=max((each.top1 for each in validations), default=None),
        top5=validation.top5 if validation and _top5_tells(run) else None,
        peak_memory=_peak_memory(run),
        train_seconds=sum(epoch.seconds for epoch in epochs) if epochs else None,
    )


def _top5_tells(run: RunView) -> bool:
    """Among five classes or fewer the right one is always in the top five."""
    return run.ready is not None and len(run.ready.classes) > 5


def _epochs_done(run: RunView) -> int:
    """Epochs whose last step was trained: one that a limit cut short is not done."""
    if run.ready is None:
        return len(run.epochs)
    per_epoch = run.ready.steps_per_epoch
    return sum(epoch.end_step >= (epoch.epoch + 1) * per_epoch for epoch in run.epochs)


def _wait_share(epochs: tuple[EpochView, ...], seconds: float) -> float | None:
    if seconds <= 0:
        return None
    return min(1.0, sum(epoch.wait_seconds for epoch in epochs) / seconds)


def _median_step(run: RunView) -> float | None:
    seconds = _kept(run, "step_seconds")
    return float(np.nanmedian(seconds)) if np.any(~np.isnan(seconds)) else None


def _step_rate(run: RunView) -> float | None:
    """Before the first epoch has ended: images over wall time of the steps kept."""
    images, seconds = _kept(run, "images"), _kept(run, "step_seconds")
    total = float(np.nansum(seconds))
    return float(np.nansum(images)) / total if total > 0 and len(images) else None


def _kept(run: RunView, metric: str) -> NDArray[np.float64]:
    history = run.history
    if metric not in history.metrics or history.steps <= 0:
        return np.empty(0)
    values = history.rows(metric, max(0, history.rows_kept_from), history.steps)
    return np.asarray(values, np.float64)


def _peak_memory(run: RunView) -> int | None:
    if run.memory is None:
        return None
    if run.memory.peak_reserved is not None:
        return run.memory.peak_reserved
    return run.memory.peak_rss
