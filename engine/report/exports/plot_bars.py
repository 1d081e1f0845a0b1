"""Figures of the table as bars, as matplotlib draws them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from engine.report.cells import speedup
from engine.report.comparison import Comparison, Row
from engine.report.exports.plot_look import label
from engine.report.exports.strokes import stroke
from engine.report.figures import Figures

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


class Bars(NamedTuple):
    """A figure of the table as bars."""

    name: str
    title: str
    value: Callable[[Figures], float | None]
    factor: float = 1.0
    lower: bool = False
    """Less is better: said in the title, for a bar does not tell."""


_BAR = 0.32
"""Height of a bar's row in inches."""
_ROOM = 1.5
"""An interval is drawn up to so many times the longest bar; an arrow says that it goes on."""
BARS = (
    Bars("throughput", "throughput (images/s)", lambda each: each.images_per_second),
    Bars("memory", "peak memory (GiB)", lambda each: each.peak_memory, 1 / 2**30, lower=True),
    Bars("time-to-accuracy", "time to accuracy (s)", lambda each: each.seconds_to_accuracy, 1.0,
         lower=True),
)  # fmt: skip


def is_drawable(comparison: Comparison, bars: Bars) -> bool:
    return any(_known(bars, row.figures) is not None for row in comparison.rows)


def bars_figure(comparison: Comparison, bars: Bars) -> Figure:
    from matplotlib.figure import Figure

    rows = [row for row in comparison.rows if _known(bars, row.figures) is not None]
    figure = Figure(figsize=(8, 1.4 + _BAR * len(rows)), layout="constrained")
    axes = figure.subplots()
    places = {row.key: place for place, row in enumerate(comparison.rows)}
    for line, row in enumerate(rows):
        value = _known(bars, row.figures) or 0.0
        colour = stroke(places[row.key]).colour
        axes.barh(line, value, height=0.7, color=colour, alpha=0.75)
        dots = [dot for each in row.repeats if (dot := _known(bars, each)) is not None]
        if len(dots) > 1:
            axes.plot(dots, [line] * len(dots), "k|", markersize=7)
        if bars.name == "throughput":
            _interval(axes, line, row, comparison)
    axes.set_yticks(range(len(rows)), [label(row, comparison) for row in rows])
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.set_xlim(left=0)
    axes.set_title(f"{_title(bars, comparison)}{', less is better' if bars.lower else ''}")
    return figure


def _title(bars: Bars, comparison: Comparison) -> str:
    if bars.name == "time-to-accuracy" and comparison.target is not None:
        return f"time to a top-1 of {comparison.target * 100:g} % (s)"
    if bars.name == "throughput":
        return f"{bars.title}, with the speed-up and its 95 % interval"
    return bars.title


def _interval(axes: Axes, line: int, row: Row, comparison: Comparison) -> None:
    """The interval of the speed-up, on the scale of the baseline's throughput."""
    found, base = row.difference, comparison.row(comparison.baseline)
    rate = base.figures.images_per_second if base is not None else None
    end = _longest(row)
    if rate is not None and found.low is not None and found.high is not None:
        # Of two repeats an interval may be a hundred times as long as all bars.
        most = _ROOM * max(_longest(each) for each in comparison.rows)
        low, high = min(rate * found.low, most), min(rate * found.high, most)
        axes.plot([low, high], [line, line], color="black", linewidth=1.2)
        if high == most:
            axes.plot([high], [line], "k>", markersize=4)
        end = max(end, high)
    if found.ratio is not None:
        told = f"  {speedup(found)} {found.call}"
        axes.annotate(told, (end, line), va="center", fontsize=8, annotation_clip=False)


def _longest(row: Row) -> float:
    """The highest throughput that is drawn of it."""
    drawn = (_known(BARS[0], each) for each in (row.figures, *row.repeats))
    return max([0.0, *(each for each in drawn if each is not None)])


def _known(bars: Bars, figures: Figures) -> float | None:
    value = bars.value(figures)
    return value * bars.factor if value is not None and math.isfinite(value) else None
