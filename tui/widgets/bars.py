"""Bars of one figure, a strategy each, with what its repeats range over; drawn by plotext."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from textual.content import Content

from tui.widgets import axis
from tui.widgets.axis import Limits
from tui.widgets.line import heading

_FIGURE = threading.Lock()
"""plotext has one figure for the whole program: whoever draws has it alone."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A figure, and the lowest and highest of its repeats where there are several."""

    name: str
    value: float | None
    low: float | None = None
    high: float | None = None
    here: bool = False
    """The cursor of the table is on it."""


def bars(
    title: str,
    found: Sequence[Bar],
    spelled: Callable[[float | None], str],
    scaled: float,
    width: int,
    style: str,
) -> list[Content]:
    """A heading, a line per bar in the order given, and an axis.

    ``scaled`` is what a value is divided by for the axis, in whose unit ``title`` speaks. Takes
    some milliseconds; the first time plotext is imported as well: for a thread.
    """
    ranged = any(each.low is not None and each.low != each.high for each in found)
    remark = "├─┤ lowest to highest repeat" if ranged and width >= 60 else ""
    lines = [heading(title, width, remark)]
    known = [each for each in found if each.value is not None]
    if not known or width < 24:
        return [*lines, Content.styled("nothing was measured yet".center(width), "$quiet")]
    names = max(len(each.name) for each in found)
    values = max(len(spelled(each.value)) for each in found)
    names = min(names, max(8, width * 2 // 5))
    labels = [
        f"{_cut(each.name, names):<{names}} {spelled(each.value):>{values}} " for each in found
    ]
    drawn = _drawn(found, labels, scaled, width)
    for text, each in zip(drawn, found, strict=False):
        lines.append(_styled(text, len(labels[0]), style, each.here))
    return lines + [Content.styled(text, "$quiet") for text in drawn[len(found) :]]


def _styled(text: str, label: int, style: str, here: bool) -> Content:
    return Content.assemble(
        (text[:label], "bold $foreground" if here else "$foreground"),
        (text[label : label + 1], "$faint"),
        (text[label + 1 :], style),
    )


def _cut(name: str, width: int) -> str:
    return name if len(name) <= width else f"{name[: width - 1]}…"


def _drawn(found: Sequence[Bar], labels: Sequence[str], scaled: float, width: int) -> list[str]:
    """plotext's rows as plain text: a row for each bar, then the axis and its labels."""
    import plotext

    top = max(each.high or each.value or 0.0 for each in found) / scaled
    ticks = axis.ticks(Limits(0.0, top or 1.0), max(2, (width - len(labels[0])) // 14), "linear")
    with _FIGURE:
        plotext.clear_figure()
        # Without colours of its own: escape codes have no place among Textual's.
        plotext.theme("clear")
        # Nor does the size of the terminal that the program was started in matter.
        plotext.limit_size(False, False)
        plotext.plotsize(width, len(found) + 2)
        plotext.xaxes(True, False)
        plotext.yaxes(True, False)
        # It counts upwards: the first row is the highest.
        places = list(range(len(found), 0, -1))
        heights = [(each.value or 0.0) / scaled for each in found]
        plotext.bar(places, heights, orientation="horizontal", width=0.2, marker="━")
        for place, each in zip(places, found, strict=True):
            if each.low is not None and each.high is not None and each.low != each.high:
                ends = [each.low / scaled, each.high / scaled]
                plotext.plot(ends, [place, place], marker="─")
                plotext.scatter(ends[:1], [place], marker="├")
                plotext.scatter(ends[1:], [place], marker="┤")
        plotext.xlim(0.0, top * 1.02 or 1.0)
        plotext.ylim(0.5, len(found) + 0.5)
        plotext.yticks(places, list(labels))
        plotext.xticks([each.value for each in ticks], [each.label for each in ticks])
        text = plotext.uncolorize(plotext.build())
        plotext.clear_figure()
    return [line.rstrip() for line in text.splitlines()][: len(found) + 2]
