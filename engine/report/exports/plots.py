"""The comparison as pictures, SVG and PNG: matplotlib draws them, which is an extra.

A thick line is the mean over repeats, the thin ones are the repeats. A bar is what the table says,
a dot on it one repeat.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from engine.errors import WrongInput
from engine.plan.text import clean
from engine.report.cells import speedup
from engine.report.comparison import Comparison, Row
from engine.report.exports.courses import Course, Courses, Point, of_row
from engine.report.exports.strokes import stroke
from engine.report.figures import Figures
from engine.report.whole import refused

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MISSING = "plots need matplotlib, which is an extra: pip install 'resnet-tui[plots]'"
KINDS = ("svg", "png")

_STYLE: Any = {
    # Names may hold a dollar sign.
    "text.parse_math": False,
    "svg.hashsalt": "resnet-tui",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.3,
}
_DPI = 150
_BAR = 0.32
"""Height of a bar's row in inches."""


class Bars(NamedTuple):
    """A figure of the table as bars."""

    name: str
    title: str
    value: Callable[[Figures], float | None]
    factor: float = 1.0
    lower: bool = False
    """Less is better: said in the title, for a bar does not tell."""


BARS = (
    Bars("throughput", "throughput (images/s)", lambda each: each.images_per_second),
    Bars("memory", "peak memory (GiB)", lambda each: each.peak_memory, 1 / 2**30, lower=True),
    Bars("time-to-accuracy", "time to accuracy (s)", lambda each: each.seconds_to_accuracy, 1.0,
         lower=True),
)  # fmt: skip


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


def names(comparison: Comparison, courses: Courses) -> tuple[str, ...]:
    """Of the files that ``draw`` makes, without matplotlib."""
    found = []
    if any(of_row(row, courses) for row in comparison.rows):
        found += ["loss-by-epoch", "loss-by-time", "accuracy-by-epoch", "accuracy-by-time"]
    found += [each.name for each in BARS if _drawable(comparison, each)]
    return tuple(f"{name}.{kind}" for name in found for kind in KINDS)


def draw(comparison: Comparison, courses: Courses, directory: Path) -> tuple[Path, ...]:
    """Draws into a directory, made if it is not there, and returns what was written.

    Raises ``WrongInput`` without matplotlib, ``ExperimentError`` where a file cannot be written.
    """
    try:
        import matplotlib as mpl
    except ImportError as error:
        raise WrongInput(MISSING) from error
    directory = directory.absolute()
    written = []
    path = directory
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with mpl.rc_context(_STYLE):
            for name, figure in _figures(comparison, courses):
                for kind in KINDS:
                    path = directory / f"{name}.{kind}"
                    # A date would make two equal pictures two files.
                    metadata = {"Date": None} if kind == "svg" else None
                    figure.savefig(path, dpi=_DPI, metadata=metadata)
                    written.append(path)
    except OSError as error:
        raise refused(path, error) from error
    return tuple(written)


def _figures(comparison: Comparison, courses: Courses) -> Iterator[tuple[str, Figure]]:
    if any(of_row(row, courses) for row in comparison.rows):
        for word, curves in (("loss", LOSS), ("accuracy", ACCURACY)):
            yield f"{word}-by-epoch", _curves(comparison, courses, curves, by_time=False)
            yield f"{word}-by-time", _curves(comparison, courses, curves, by_time=True)
    for bars in BARS:
        if _drawable(comparison, bars):
            yield bars.name, _bars(comparison, bars)


def _drawable(comparison: Comparison, bars: Bars) -> bool:
    return any(_known(bars, row.figures) is not None for row in comparison.rows)


def _curves(
    comparison: Comparison, courses: Courses, curves: Sequence[Curve], *, by_time: bool
) -> Figure:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4.2), layout="constrained")
    panels = figure.subplots(1, len(curves))
    for axes, curve in zip(panels, curves, strict=True):
        for place, row in enumerate(comparison.rows):
            _lines(axes, place, of_row(row, courses), curve, by_time=by_time)
        axes.set_title(curve.title)
        axes.set_xlabel("time since the first step (s)" if by_time else "epoch")
        if not by_time:
            axes.xaxis.get_major_locator().set_params(integer=True)
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
    look = _look(place)
    dots = [_dots(each.points, curve, by_time=by_time) for each in repeats]
    known = [each for each in dots if each]
    for each in known:
        thin = len(known) > 1
        x, y = zip(*each.values(), strict=True)
        marker = "" if thin or len(each) > 40 else "o"
        axes.plot(x, y, **look, linewidth=0.6 if thin else 1.8, alpha=0.45 if thin else 1.0,
                  marker=marker, markersize=3)  # fmt: skip
    shared = set.intersection(*map(set, known)) if len(known) > 1 else set()
    if shared:
        epochs = sorted(shared)
        mean = [
            [sum(each[epoch][axis] for each in known) / len(known) for epoch in epochs]
            for axis in (0, 1)
        ]
        marker = "o" if len(epochs) <= 40 else ""
        axes.plot(*mean, **look, linewidth=1.8, marker=marker, markersize=3)


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
        Line2D([], [], **_look(place), linewidth=1.8, label=label(row, comparison))
        for place, row in enumerate(comparison.rows)
        if of_row(row, courses)
    ]


def _look(place: int) -> dict[str, Any]:
    chosen = stroke(place)
    style: Any = (0, chosen.dashes) if chosen.dashes else "-"
    return {"color": chosen.colour, "linestyle": style}


def _bars(comparison: Comparison, bars: Bars) -> Figure:
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
    end = row.figures.images_per_second or 0.0
    if rate is not None and found.low is not None and found.high is not None:
        axes.plot([rate * found.low, rate * found.high], [line, line], color="black", linewidth=1.2)
        end = max(end, rate * found.high)
    if found.ratio is not None:
        told = f"  {speedup(found)} {found.call}"
        axes.annotate(told, (end, line), va="center", fontsize=8, annotation_clip=False)


def label(row: Row, comparison: Comparison) -> str:
    """Its name, with the experiment where there are several."""
    several = len({each.figures.experiment for each in comparison.rows}) > 1
    name = clean(row.figures.name)
    # matplotlib leaves what begins with an underscore out of a legend.
    told = f"{name} ({clean(row.figures.experiment)})" if several else name
    return f" {told}" if told.startswith("_") else told


def _known(bars: Bars, figures: Figures) -> float | None:
    value = bars.value(figures)
    return value * bars.factor if value is not None and math.isfinite(value) else None
