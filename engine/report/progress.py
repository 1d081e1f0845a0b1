"""How far a run is and what it does now. Pure: a view and a time in, numbers out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.journal.views import RunView

WINDOW = 10.0
"""Seconds of training that recent figures are taken over."""
_ROWS = 2048
"""At most so many of the latest steps are looked at for that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Shares in 0..1, times in seconds, ``None`` where unknown."""

    phase: str
    """What it does now: ``queued``, ``importing torch``, ``training``, ``validating``, ``done``."""
    fraction: float | None = None
    """Of all steps."""
    epoch_fraction: float | None = None
    """Of the steps of the current epoch."""
    eta_seconds: float | None = None
    """An estimate: the steps left at the recent pace, and their validations."""
    throughput: float | None = None
    """Images per second of wall time, over the latest ``WINDOW`` seconds of training."""
    step_seconds: float | None = None
    """Median over the same steps."""
    wait_share: float | None = None
    """Share of the same time spent waiting for data."""


def progress(run: RunView, now: float) -> Progress:
    """The progress of ``run`` at ``now`` (Unix, seconds)."""
    phase = _phase(run)
    seconds = _recent(run, "step_seconds")
    images = _recent(run, "images")
    waits = _recent(run, "wait_seconds")
    kept = _window(seconds)
    seconds, images, waits = seconds[kept:], images[kept:], waits[kept:]
    total = float(np.nansum(seconds))
    measured = total > 0
    pace = _pace(images, seconds)
    return Progress(
        phase=phase,
        fraction=_fraction(run),
        epoch_fraction=_epoch_fraction(run),
        eta_seconds=_eta(run, seconds, now),
        throughput=pace,
        step_seconds=float(np.nanmedian(seconds)) if measured else None,
        wait_share=_share(waits, seconds),
    )


def _phase(run: RunView) -> str:
    if run.state != "running":
        return run.state
    if run.phases and run.phases[-1].seconds is None:
        return run.phases[-1].name
    return "training" if run.ready is not None else "starting"


def _recent(run: RunView, metric: str) -> NDArray[np.float64]:
    """The metric at the latest steps, oldest first; NaN or nothing where it was not measured."""
    history = run.history
    if metric not in history.metrics or history.steps <= 0:
        return np.empty(0)
    first = max(0, history.rows_kept_from, history.steps - _ROWS)
    return np.asarray(history.rows(metric, first, history.steps), np.float64)


def _window(seconds: NDArray[np.float64]) -> int:
    """Where the latest steps begin that took ``WINDOW`` seconds together."""
    backwards = np.nan_to_num(seconds[::-1]).cumsum()
    steps = int(np.searchsorted(backwards, WINDOW)) + 1
    return max(0, len(seconds) - steps)


def _pace(images: NDArray[np.float64], seconds: NDArray[np.float64]) -> float | None:
    """Sums over the same steps: a mean of rates would favour the fast ones."""
    if len(images) != len(seconds):
        return None
    known = ~np.isnan(images) & ~np.isnan(seconds)
    total = float(seconds[known].sum())
    return float(images[known].sum()) / total if total > 0 else None


def _share(waits: NDArray[np.float64], seconds: NDArray[np.float64]) -> float | None:
    share = _pace(waits, seconds)
    return None if share is None else min(1.0, max(0.0, share))


def _fraction(run: RunView) -> float | None:
    if run.state == "done":
        # Also where a limit ended it before its last step: there is nothing left to do.
        return 1.0
    if run.ready is None or run.ready.total_steps <= 0:
        return None
    return min(1.0, run.step / run.ready.total_steps)


def _epoch_fraction(run: RunView) -> float | None:
    if run.ready is None or run.ready.steps_per_epoch <= 0:
        return None
    done = run.step - run.epoch * run.ready.steps_per_epoch
    return min(1.0, max(0.0, done / run.ready.steps_per_epoch))


def _eta(run: RunView, seconds: NDArray[np.float64], now: float) -> float | None:
    if run.state != "running" or run.ready is None or not np.nansum(seconds) > 0:
        return None
    ready = run.ready
    left = max(0, ready.total_steps - run.step) * float(np.nanmean(seconds))
    if run.validations:
        each = sum(one.seconds for one in run.validations) / len(run.validations)
        epochs = -(-ready.total_steps // max(1, ready.steps_per_epoch))
        left += max(0, epochs - len(run.validations)) * each
        # While it validates no step ends, yet time passes.
        if _phase(run) == "validating" and run.epochs:
            left -= min(each, max(0.0, now - run.epochs[-1].t))
    return left
