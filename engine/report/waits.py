"""How much of the time went to waiting for data, over all ranks of a run. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.journal.step_columns import column
from engine.journal.views import RunView
from engine.report.ledger import WINDOW, known, latest, rows

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """Shares in 0..1 of wall time. In each step the rank that waits longest counts: the others
    wait for it."""

    share: float
    """Of an epoch as long as this run's, from the steps looked at: the first step of an epoch,
    which may wait while workers catch up, counts once an epoch however few steps were looked at."""
    in_step: float
    """Of the steps that begin no epoch."""
    first: float | None
    """Seconds that a first step of an epoch waits, on average; ``None`` where there was none."""


def waits(run: RunView, window: float = WINDOW) -> Waits | None:
    """Over the steps of ``ledger.recent``; ``None`` where waiting was not measured."""
    steps = latest(run, window)
    if steps is None:
        return None
    first, last = steps
    seconds = rows(run, column("step"), first, last)
    # A host that runs ahead waits without the device's waiting; on a CPU they are one.
    waited = rows(run, column("starved"), first, last)
    if not len(waited) or np.isnan(waited).all():
        waited = rows(run, column("wait"), first, last)
    measured = ~np.isnan(seconds) & ~np.isnan(waited) if len(waited) == len(seconds) else None
    if measured is None or not seconds[measured].sum() > 0:
        return None
    length = run.history.epoch_length or 0
    begins = np.zeros(len(seconds), bool)
    if length:
        begins[(-first) % length :: length] = True
    return _waits(
        known(seconds), np.minimum(known(waited), known(seconds)), begins, measured, length
    )


def _waits(seconds: Floats, waited: Floats, begins: Flags, measured: Flags, length: int) -> Waits:
    starts, others = measured & begins, measured & ~begins
    in_step = _ratio(waited[others].sum(), seconds[others].sum())
    if not starts.any() or not others.any():
        share = _ratio(waited[measured].sum(), seconds[measured].sum())
    else:
        rest = length - 1
        share = _ratio(
            waited[starts].mean() + rest * waited[others].mean(),
            seconds[starts].mean() + rest * seconds[others].mean(),
        )
    return Waits(
        share=share,
        in_step=in_step,
        first=float(waited[starts].mean()) if starts.any() else None,
    )


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole > 0 else 0.0
