"""Loss and accuracy of runs against epoch or time, as matplotlib draws them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from engine.report.comparison import Comparison
from engine.report.exports.courses import Course, Courses, Point, is_wide, of_row
from engine.report.exports.plot_look import label, look

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


class Curve(NamedTuple):
    """A value of every epoch as lines."""

    title: str
    value: Callable[[Point], float | None]
    factor: float = 1.0


LOSS = (
    Curve("training loss", lambda point: point.train_loss),
    Curve("validation loss", lambda point: point.val_loss),
)
ACCURACY = (
    Curve("training top-1 (%)", lambda point: point.train_top1, 100.0),
    Curve("validation top-1 (%)", lambda point: point.val_top1, 100.0),
)


def curves_figure(
    comparison: Comparison, courses: Courses, curves: Sequence[Curve], *, by_time: bool
) -> Figure:
    import numpy as np
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter

    figure = Figure(figsize=(10, 4.2), layout="constrained")
    panels = figure.subplots(1, len(curves))
    for axes, curve in zip(panels, curves, strict=True):
        for place, row in enumerate(comparison.rows):
            _lines(axes, place, of_row(row, courses), curve, by_time=by_time)
        if is_wide([y for line in axes.lines for y in np.asarray(line.get_ydata()).tolist()]):
            axes.set_yscale("log")
            # Its own labels are formulas, which are not read here.
            axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            axes.yaxis.set_minor_formatter(NullFormatter())
        axes.set_title(curve.title)
        axes.set_xlabel("time since the first step (s)" if by_time else "epoch")
        if not by_time:
            axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    handles = _handles(comparison, courses)
    figure.legend(
        handles=handles, loc="outside lower center", ncols=min(5, max(1, len(handles))),
        frameon=False,
    )  # fmt: skip
    return figure


def _lines(
    axes: Axes, place: int, repeats: Sequence[Course], curve: Curve, *, by_time: bool
) -> None:
    """The repeats of a strategy as thin lines, and their mean where all have been."""
    pen = look(place)
    dots = [_dots(each.points, curve, by_time=by_time) for each in repeats]
    known = [each for each in dots if each]
    for each in known:
        thin = len(known) > 1
        x, y = zip(*each.values(), strict=True)
        marker = "" if len(each) > (1 if thin else 40) else "o"
        axes.plot(x, y, **pen, linewidth=0.6 if thin else 1.8, alpha=0.45 if thin else 1.0,
                  marker=marker, markersize=3)  # fmt: skip
    shared = set.intersection(*map(set, known)) if len(known) > 1 else set()
    if shared:
        epochs = sorted(shared)
        mean = [
            [sum(each[epoch][axis] for each in known) / len(known) for epoch in epochs]
            for axis in (0, 1)
        ]
        marker = "o" if len(epochs) <= 40 else ""
        axes.plot(*mean, **pen, linewidth=1.8, marker=marker, markersize=3)


def _dots(
    points: Sequence[Point], curve: Curve, *, by_time: bool
) -> dict[int, tuple[float, float]]:
    """Where a line goes, by epoch; a loss that was not finite leaves it out."""
    found = {}
    for point in points:
        x, y = point.seconds if by_time else point.epoch, curve.value(point)
        if x is not None and y is not None and math.isfinite(y):
            found[point.epoch] = (float(x), y * curve.factor)
    return found


def _handles(comparison: Comparison, courses: Courses) -> list[Any]:
    from matplotlib.lines import Line2D

    return [
        Line2D([], [], **look(place), linewidth=1.8, label=label(row, comparison))
        for place, row in enumerate(comparison.rows)
        if of_row(row, courses)
    ]
