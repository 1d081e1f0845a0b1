"""Statistics of stretches of rows, and how stretches are put together into longer ones.

A stretch is five float32 numbers in the order of the constants below, over its finite values; with
no finite value the first four are NaN. Sums are taken in float64. A count is exact: the longest
stretch a level keeps is 32**4 rows, far below the 2**24 up to which float32 holds every integer.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

LOW, HIGH, MEAN, STD, COUNT = range(5)
FIELDS = 5
FAN_OUT = 32


def of_rows(rows: Floats) -> Floats:
    """Stretches of ``FAN_OUT`` rows: (columns, count * 32) to (5, columns, count)."""
    values = rows.reshape(rows.shape[0], -1, FAN_OUT)
    result = np.empty((FIELDS, *values.shape[:2]), np.float32)
    if np.isnan(values).any():
        return merge(of_single(values), result)
    result[LOW] = values.min(axis=-1)
    result[HIGH] = values.max(axis=-1)
    mean = values.mean(axis=-1, dtype=np.float64)
    result[MEAN] = mean
    deviation = values - mean[..., np.newaxis]
    result[STD] = np.sqrt(np.square(deviation, out=deviation).mean(axis=-1))
    result[COUNT] = FAN_OUT
    return result


def of_stretches(stretches: Floats) -> Floats:
    """32 stretches to one: (5, columns, count * 32) to (5, columns, count)."""
    values = stretches.reshape(FIELDS, stretches.shape[1], -1, FAN_OUT)
    return merge(values, np.empty(values.shape[:3], np.float32))


def of_single(values: Floats) -> Floats:
    """Each value as a stretch of its own: (...) to (5, ...)."""
    result = np.empty((FIELDS, *values.shape), np.float32)
    result[[LOW, HIGH, MEAN]] = values
    absent = np.isnan(values)
    result[STD] = np.where(absent, np.float32(np.nan), np.float32(0))
    result[COUNT] = ~absent
    return result


def merge(values: Floats, result: Floats) -> Floats:
    """Stretches along the last axis into one: (5, ..., n) to (5, ...), written to ``result``."""
    result[LOW] = np.fmin.reduce(values[LOW], axis=-1)
    result[HIGH] = np.fmax.reduce(values[HIGH], axis=-1)
    count, mean, variance = _weights(values)
    total = count.sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        whole = (mean * count).sum(axis=-1) / total
        spread = (count * (variance + np.square(mean - whole[..., np.newaxis]))).sum(axis=-1)
        result[MEAN] = whole
        result[STD] = np.sqrt(spread / total)
    result[COUNT] = total
    return result


def group(values: Floats, begins: NDArray[np.intp]) -> tuple[Floats, NDArray[np.int64]]:
    """Neighbouring stretches (5, n) into groups that begin at ``begins``.

    Returns (4, groups) float32 and the exact count of each group.
    """
    result = np.empty((FIELDS - 1, len(begins)), np.float32)
    result[LOW] = np.fmin.reduceat(values[LOW], begins)
    result[HIGH] = np.fmax.reduceat(values[HIGH], begins)
    count, mean, variance = _weights(values)
    total = np.add.reduceat(count, begins)
    lengths = np.diff(begins, append=values.shape[-1])
    with np.errstate(invalid="ignore", divide="ignore"):
        whole = np.add.reduceat(mean * count, begins) / total
        spread = count * (variance + np.square(mean - np.repeat(whole, lengths)))
        # A group without a value has a NaN mean, which must not reach its (absent) spread.
        spread[count == 0] = 0.0
        result[MEAN] = whole
        result[STD] = np.sqrt(np.add.reduceat(spread, begins) / total)
    return result, total.astype(np.int64)


def _weights(
    values: Floats,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Count, mean and variance in float64, zeros where a stretch holds nothing."""
    count = np.nan_to_num(values[COUNT].astype(np.float64))
    there = count > 0
    mean = np.where(there, values[MEAN], 0.0).astype(np.float64)
    deviation = np.where(there, values[STD], 0.0).astype(np.float64)
    return count, mean, np.square(deviation)
