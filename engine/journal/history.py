"""Step columns of a run, folded for charts: rows of the recent past, and a pyramid over all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Axis = Literal["step", "time", "epoch"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Buckets:
    """Consecutive stretches of one metric, at most a few per chart column.

    ``x`` is where each begins on the asked-for axis (float64); ``low``, ``high``, ``mean``,
    ``std`` over its finite values, and ``count`` how many those are (0: the rest is NaN).
    """

    x: NDArray[np.float64]
    low: NDArray[np.float32]
    high: NDArray[np.float32]
    mean: NDArray[np.float32]
    std: NDArray[np.float32]
    count: NDArray[np.int64]


class HistoryView:
    """See the brief."""
