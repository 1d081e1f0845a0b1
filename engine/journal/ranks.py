"""One row for all ranks: what a step of several ranks comes to."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

WEIGHTED = ("loss", "top1", "top5")
"""Means over a rank's images: over ranks they are weighted by images."""


def combine(metrics: Sequence[str], ranks: Floats) -> Floats:
    """Rows of several ranks (ranks, metrics, rows) as rows of all (metrics, rows).

    Loss and accuracies are weighted by images, images add up, a step is as slow as its slowest
    rank, the learning rate is the first rank's, anything else is the mean. What a rank did not
    measure (NaN) does not count; what none measured stays NaN.
    """
    names = list(metrics)
    weights = None
    if "images" in names:
        weights = np.nan_to_num(ranks[:, names.index("images")].astype(np.float64))
    result = np.empty(ranks.shape[1:], np.float32)
    for number, name in enumerate(names):
        values = ranks[:, number]
        if name == "images":
            result[number] = _sum(values)
        elif name == "step_seconds":
            result[number] = np.fmax.reduce(values, axis=0)
        elif name == "lr":
            result[number] = _first(values)
        else:
            result[number] = _mean(values, weights if name in WEIGHTED else None)
    return result


def _sum(values: Floats) -> NDArray[np.float64]:
    total: NDArray[np.float64] = np.nansum(values.astype(np.float64), axis=0)
    total[np.isnan(values).all(axis=0)] = np.nan
    return total


def _first(values: Floats) -> Floats:
    there = np.argmax(~np.isnan(values), axis=0)
    first: Floats = np.take_along_axis(values, there[np.newaxis], axis=0)[0]
    return first


def _mean(values: Floats, weights: NDArray[np.float64] | None) -> NDArray[np.float64]:
    there = ~np.isnan(values)
    weight = there * (1.0 if weights is None else weights)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean: NDArray[np.float64] = np.where(there, values * weight, 0.0).sum(axis=0)
        mean /= weight.sum(axis=0)
    return mean
