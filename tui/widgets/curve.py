"""From buckets of steps to what one dot column shows: a smoothed line, a spread, outliers. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.journal.history import Buckets

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

P90 = 1.2816
"""Standard deviations from the mean to the 10th and 90th percentile of a normal distribution."""

_WINDOW = 4
"""Columns on either side over which the spread is pooled."""


@dataclass(frozen=True, slots=True)
class Columns:
    """What the dot columns that hold data show. All arrays have one entry per such column."""

    x: Ints
    """Dot columns, ascending."""
    line: Floats
    """The smoothed curve."""
    band_low: Floats
    band_high: Floats
    """About the 10th and the 90th percentile of the steps near the column."""
    low: Floats
    high: Floats
    """The extremes of the column's own steps."""
    outlier_low: NDArray[np.bool_]
    outlier_high: NDArray[np.bool_]
    """Whether an extreme is further out than so many steps would normally reach."""


def smooth(mean: Floats, count: Floats, steps: float) -> Floats:
    """Exponential average over about ``steps`` steps, given columns of them.

    A column of ``count`` steps weighs as that many steps of its mean. The average reaches to both
    sides, so that the line lies in its band and does not lag behind; at the newest step, where
    there is no other side yet, it is the usual moving average. One step or less smooths nothing.
    """
    if steps <= 1:
        return mean
    kept = (1.0 - 1.0 / steps) ** count
    own = 1.0 - kept
    before, weight_before = _decaying(own * mean, own, kept)
    after, weight_after = _decaying((own * mean)[::-1], own[::-1], kept[::-1])
    both = (before + after[::-1] - own * mean) / (weight_before + weight_after[::-1] - own)
    # At the first steps there is no left side: what the right one says of a slope is not believed.
    return np.asarray((1.0 - weight_before) * before / weight_before + weight_before * both)


def _decaying(values: Floats, weights: Floats, kept: Floats) -> tuple[Floats, Floats]:
    """Running sums of values and weights that fade by ``kept`` at each place."""
    sums, totals = [], []
    value = weight = 0.0
    for each, own, keep in zip(values.tolist(), weights.tolist(), kept.tolist(), strict=True):
        value = keep * value + each
        weight = keep * weight + own
        sums.append(value)
        totals.append(weight)
    return np.array(sums), np.array(totals)


def columns(buckets: Buckets, x_low: float, x_high: float, width: int, smoothing: float) -> Columns:
    """Sorts the buckets into ``width`` dot columns between the two ends of the x axis.

    ``smoothing`` is the share of the steps in sight that the average reaches over.
    """
    place = np.floor((buckets.x - x_low) / (x_high - x_low) * width)
    place[buckets.x == x_high] = width - 1
    kept = (buckets.count > 0) & (place >= 0) & (place < width)
    if not kept.any():
        nothing = np.zeros(0)
        none = np.zeros(0, dtype=bool)
        return Columns(
            np.zeros(0, dtype=np.int64), nothing, nothing, nothing, nothing, nothing, none, none
        )
    # In order of their place each column is one stretch of buckets, whatever a resume left behind.
    place = np.maximum.accumulate(place[kept].astype(np.int64))
    starts = np.flatnonzero(np.concatenate(([True], np.diff(place) > 0)))
    count = buckets.count[kept].astype(np.float64)
    mean = buckets.mean[kept].astype(np.float64)
    square = np.square(buckets.std[kept].astype(np.float64)) + np.square(mean)
    steps = np.add.reduceat(count, starts)
    middle = np.add.reduceat(count * mean, starts) / steps
    variance = np.maximum(np.add.reduceat(count * square, starts) / steps - np.square(middle), 0.0)
    low = np.minimum.reduceat(buckets.low[kept], starts).astype(np.float64)
    high = np.maximum.reduceat(buckets.high[kept], starts).astype(np.float64)
    used = place[starts]
    line = smooth(middle, steps, smoothing * float(steps.sum()))
    return _with_spread(used, line, steps, middle, variance, low, high)


def _with_spread(
    x: Ints, line: Floats, steps: Floats, mean: Floats, variance: Floats, low: Floats, high: Floats
) -> Columns:
    """Pools the spread over neighbouring columns, so that a band is there from one step on."""
    # One wild step must not blow the band of its neighbours up: it is shown as an outlier.
    usual_mean = _running_median(mean, _WINDOW)
    squared = variance + np.square(mean - usual_mean)
    most = 9.0 * _running_median(squared, 15)
    tame = np.where(squared > np.maximum(most, 1e-30), usual_mean, mean)
    weight = _pool(steps)
    centre = _pool(steps * tame) / weight
    squared = np.minimum(variance + np.square(tame - centre), np.maximum(most, 0.0))
    sigma = np.sqrt(_pool(steps * squared) / weight)
    if len(sigma) > 2 * _WINDOW:
        # Too few neighbours at the ends: the nearest full window speaks for them.
        sigma[:_WINDOW] = sigma[_WINDOW]
        sigma[-_WINDOW:] = sigma[-_WINDOW - 1]
    usual = sigma
    # The largest of n normal values lies about sqrt(2 ln n) standard deviations out.
    reach = (np.sqrt(2 * np.log(np.maximum(weight, 2.0))) + 0.5) * usual
    return Columns(
        x=x,
        line=line,
        band_low=centre - P90 * sigma,
        band_high=centre + P90 * sigma,
        low=low,
        high=high,
        outlier_low=low < centre - np.maximum(reach, P90 * usual),
        outlier_high=high > centre + np.maximum(reach, P90 * usual),
    )


def _pool(values: Floats) -> Floats:
    """Sums over a window of columns around each."""
    total = np.concatenate(([0.0], np.cumsum(values)))
    index = np.arange(len(values))
    end = np.minimum(index + _WINDOW + 1, len(values))
    start = np.maximum(index - _WINDOW, 0)
    # The same reach to both sides at the ends, or a slope would count as spread.
    reach = np.minimum(index - start, end - 1 - index)
    return np.asarray(total[index + reach + 1] - total[index - reach])


def _running_median(values: Floats, reach: int) -> Floats:
    if not len(values):
        return values
    padded = np.pad(values, reach, mode="reflect" if len(values) > reach else "edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1)
    return np.asarray(np.median(windows, axis=1), dtype=np.float64)
