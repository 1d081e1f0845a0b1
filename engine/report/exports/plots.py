"""The comparison as pictures, SVG and PNG: matplotlib draws them, which is an extra.

A thick line is the mean over repeats, the thin ones are the repeats. A bar is what the table says,
a mark on it one repeat, and a line on it the interval of the speed-up.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import WrongInput
from engine.report.comparison import Comparison
from engine.report.exports.courses import Courses, of_row
from engine.report.exports.plot_bars import BARS, bars_figure, is_drawable
from engine.report.exports.plot_curves import ACCURACY, LOSS, curves_figure
from engine.report.whole import refused

if TYPE_CHECKING:
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


def files(comparison: Comparison, courses: Courses) -> tuple[str, ...]:
    """Of the files that ``draw`` makes, without matplotlib."""
    found = []
    if any(of_row(row, courses) for row in comparison.rows):
        found += ["loss-by-epoch", "loss-by-time", "accuracy-by-epoch", "accuracy-by-time"]
    found += [each.name for each in BARS if is_drawable(comparison, each)]
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
            yield f"{word}-by-epoch", curves_figure(comparison, courses, curves, by_time=False)
            yield f"{word}-by-time", curves_figure(comparison, courses, curves, by_time=True)
    for bars in BARS:
        if is_drawable(comparison, bars):
            yield bars.name, bars_figure(comparison, bars)
