"""How much of the y axis a plot shows. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tui.widgets import axis
from tui.widgets.axis import Limits
from tui.widgets.curve import Columns
from tui.widgets.series import Curve, Marks, Plot

Floats = NDArray[np.float64]

_CURVE_REACH, _MARK_REACH = 6.0, 3.0
"""How far above the bulk, in spans of it, a value may lie and still widen a robust scale."""

_MARKS_END = 10.0
"""Spans above the curves beyond which no mark widens the scale, however many there are: what the
curves do must stay readable."""

_FEW = 20
"""Columns below which a curve is all bulk: there is nothing to stand out from yet."""

_SEVERAL = 4
"""Marks from which on their lower half is believed to be where they belong."""


def y_limits(plot: Plot, found: dict[int, Columns | None], previous: Limits | None) -> Limits:
    """The stretch that is shown; that of before where it still fits.

    ``found`` holds the columns of every curve, by the ``id`` of its series.
    """
    values = edges(plot, found)
    lows = np.concatenate([low for low, _ in values])
    highs = np.concatenate([high for _, high in values])
    if plot.y_log:
        lows, highs = lows[lows > 0], highs[highs > 0]
        if not len(lows) or not len(highs):
            lows = highs = np.array([1.0])
        return axis.sticky(previous, float(lows.min()), float(highs.max()), "log")
    low = float(lows.min())
    high = _bulk_high(plot, found, values, low) if plot.robust else float(highs.max())
    room = 0.35 * (high - low)
    for series in plot.series:
        cols = found[id(series)]
        if cols is not None and len(cols.x) and isinstance(series, Curve) and series.band:
            low = min(low, max(float(cols.low.min()), low - room))
            high = max(high, min(float(cols.high.max()), high + room))
    low, high = min(low, *plot.include, low), max(high, *plot.include, high)
    lacking = plot.calm * abs(low + high) / 2 - (high - low)
    if lacking > 0:
        low, high = low - lacking / 2, high + lacking / 2
    limits = axis.sticky(previous, low, high)
    return Limits(
        limits.low if plot.floor is None else max(limits.low, min(plot.floor, low)),
        limits.high if plot.ceiling is None else min(limits.high, max(plot.ceiling, high)),
    )


def edges(plot: Plot, found: dict[int, Columns | None]) -> list[tuple[Floats, Floats]]:
    """Lower and upper edge of what is drawn of each series in sight, outliers apart."""
    values = []
    for series in plot.series:
        cols = found[id(series)]
        if isinstance(series, Marks):
            y = series.y[(series.x >= plot.x.low) & (series.x <= plot.x.high)]
            y = y[np.isfinite(y)]
            values.append((y, y))
        elif cols is not None and series.band:
            low = np.minimum(np.maximum(cols.band_low, cols.low), cols.line)
            high = np.maximum(np.minimum(cols.band_high, cols.high), cols.line)
            values.append((low, high))
        elif cols is not None:
            values.append((cols.line, cols.line))
    return values


def _bulk_high(
    plot: Plot,
    found: dict[int, Columns | None],
    values: Sequence[tuple[Floats, Floats]],
    low: float,
) -> float:
    """The upper end of the values without the few that lie far above all others.

    The bulk is the lower 95 % of each curve and, where there are several, the lower half of the
    marks: what is at most some spans above it belongs to it. So a curve that falls from its start
    is whole, validation that grows step by step too; points of 600,000 beside losses of 2 are not.
    """
    curves, marks = [], []
    for series, (_, upper) in zip(plot.series, values, strict=True):
        cols = found[id(series)]
        if cols is None:
            marks.append(upper)
        elif len(upper):
            # The average carries a jump on to columns whose own steps know nothing of it.
            curves.append(np.minimum(upper, cols.high))
    points = np.sort(np.concatenate(marks)) if marks else np.zeros(0)
    if not curves:
        return float(points.max(initial=low))
    high = low
    for each in curves:
        most = float(each.max())
        if len(each) >= _FEW:
            bulk = float(np.quantile(each, 0.95))
            fence = bulk + _CURVE_REACH * _span(low, bulk)
            most = float(each[each <= fence].max(initial=bulk))
        high = max(high, most)
    points = points[points <= high + _MARKS_END * _span(low, high)]
    lower = points[: len(points) // 2] if len(points) >= _SEVERAL else points[:0]
    high = float(lower.max(initial=high))
    for point in points.tolist():
        if point <= high + _MARK_REACH * _span(low, high):
            high = max(high, point)
    return high


def _span(low: float, high: float) -> float:
    """From low to high, but never nothing: a constant is no measure of what is far."""
    return max(high - low, 0.25 * abs(high))
