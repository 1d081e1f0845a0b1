"""One row per run: what a table shows and an export writes. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from engine.journal.views import EpochView, ExperimentView, PipelineView, RunView


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
    precision: str | None = None
    """The format of the arithmetic as it was, not as it was asked for."""
    ranks: int | None = None
    """Processes that trained."""
    device_kind: str | None = None
    """``cpu``, ``cuda``, ``mps``."""
    device_count: int | None = None
    """Devices that they used; on a CPU, as many as processes."""
    device_batch: int | None = None
    """Images of a global batch that one device computes at once, at most."""
    norm_batch: int | None = None
    """Images that batch normalisation sees together, at most."""
    stages: int | None = None
    """Of a pipeline; ``None`` where there is none."""
    micro_batches: int | None = None
    bubble: float | None = None
    """Measured share of the time in which a stage idled, over the same epochs as the rates."""
    bubble_in_theory: float | None = None


def rows(view: ExperimentView, *, crashed: bool = False) -> tuple[Row, ...]:
    """The rows of an experiment, in the order of its plan.

    ``crashed``: its supervisor is dead, so that what the journals left running does not run.
    """
    found = tuple(_row(run) for run in view.runs)
    if not crashed:
        return found
    return tuple(replace(row, state="crashed") if row.state == "running" else row for row in found)


def kinds(found: Sequence[Row]) -> tuple[str, ...]:
    """The kinds of devices that the rows were measured on, in the order of the rows."""
    return tuple(dict.fromkeys(row.device_kind for row in found if row.device_kind))


def by_kind(found: Sequence[Row]) -> tuple[tuple[Row, ...], ...]:
    """The rows in tables of one kind of device each; what is not known yet is in the first."""
    known = kinds(found)
    if len(known) < 2:
        return (tuple(found),)
    return tuple(
        tuple(row for row in found if (row.device_kind or known[0]) == kind) for kind in known
    )


def remarks(found: Sequence[Row]) -> tuple[str, ...]:
    """What must be known before the rows are compared, a sentence each."""
    said = []
    if len(known := kinds(found)) > 1:
        said.append(
            f"Measured on different kinds of devices ({', '.join(known)}): "
            "times, rates and memory of one kind say nothing about another."
        )
    seen: dict[tuple[int, int], list[str]] = {}
    for row in found:
        if row.norm_batch and row.batch_size and row.norm_batch < row.batch_size:
            names = seen.setdefault((row.norm_batch, row.batch_size), [])
            names += [] if row.strategy in names else [row.strategy]
    said += [
        f"{', '.join(names)}: batch normalisation sees {part} of {whole} images."
        for (part, whole), names in seen.items()
    ]
    return tuple(said)


def reasons(found: Sequence[Row]) -> tuple[str, ...]:
    """Why runs ended as they did; what several have in common is said once."""
    told: dict[str, list[str]] = {}
    for row in found:
        if row.reason:
            told.setdefault(row.reason, []).append(row.strategy)
    return tuple(f"{', '.join(dict.fromkeys(names))}: {why}" for why, names in told.items())


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
        **_spread(run),
    )


class _Spread(TypedDict, total=False):
    """How a run was spread over devices."""

    precision: str | None
    ranks: int
    device_kind: str
    device_count: int
    device_batch: int | None
    norm_batch: int | None
    stages: int
    micro_batches: int
    bubble: float | None
    bubble_in_theory: float


def _spread(run: RunView) -> _Spread:
    found = _Spread()
    if run.ready is not None:
        found["precision"] = run.ready.precision or None
        found["ranks"] = run.world_size
        found["device_kind"] = run.ready.device.partition(":")[0]
        # Stages of one process may share a device; processes have one each.
        alone = run.world_size == 1
        found["device_count"] = len(set(run.devices) if alone else run.devices)
        found["device_batch"] = run.ready.device_batch
        found["norm_batch"] = run.ready.norm_batch
    if run.pipeline is not None:
        found["stages"] = run.pipeline.stages
        found["micro_batches"] = run.pipeline.micro_batches
        found["bubble"] = _bubble(run.pipeline)
        found["bubble_in_theory"] = run.pipeline.bubble_in_theory
    return found


def _bubble(pipeline: PipelineView) -> float | None:
    steady = pipeline.measured[1:] or pipeline.measured
    seconds = sum(each.seconds for each in steady)
    busy = sum(sum(each.busy) for each in steady)
    return max(0.0, 1.0 - busy / (pipeline.stages * seconds)) if seconds > 0 else None


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
