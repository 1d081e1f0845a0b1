"""The words around a plot: its title with the legend, its x axis, the cursor's line. Pure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tui.widgets import axis
from tui.widgets import format as show
from tui.widgets.canvas import ACROSS
from tui.widgets.curve import Columns
from tui.widgets.series import Marks, Plot, Run

DASHES = ((1, 0), (4, 2), (1, 2), (6, 2), (8, 6), (1, 5))
"""Dot columns drawn and left out: curves of several runs are told apart without colour."""

DASH_GLYPHS = ("━━", "╍╍", "┄┄", "━╍", "━ ", "┄ ")
MARK_GLYPHS = ("◆", "●", "▲", "■", "▶", "◀")
_ASCII_MARKS = "oxv#><"
_ASCII_DASHES = ("**", "++", "..", "%%", "##", "@@")


def ascii_layers(plot: Plot) -> str:
    """The character of each layer where braille cannot be shown, as in the legend."""
    if not plot.ascii:
        return ""
    return "..:" + "".join(_ASCII_DASHES[each.nth % len(DASHES)][0] for each in plot.series)


def mark_glyph(plot: Plot, nth: int) -> str:
    return glyph(nth, plot.ascii)


def glyph(nth: int, ascii: bool) -> str:
    return (_ASCII_MARKS if ascii else MARK_GLYPHS)[nth % len(MARK_GLYPHS)]


def dash_glyph(nth: int, ascii: bool) -> str:
    return (_ASCII_DASHES if ascii else DASH_GLYPHS)[nth % len(DASH_GLYPHS)]


def legend(plot: Plot, found: dict[int, Columns | None], width: int) -> list[list[Run]]:
    """Per series: its sign, its name, and its value at the cursor or at the end."""
    entries = []
    for series in plot.series:
        cols = found[id(series)]
        if isinstance(series, Marks):
            sign, value = mark_glyph(plot, series.nth), _mark_value(plot, series)
        else:
            sign = dash_glyph(series.nth, plot.ascii)
            value = _curve_value(plot, cols, width) if cols is not None else None
        told = isinstance(series, Marks) or series.valued
        number = plot.number(value) if told else ""
        if plot.ascii:
            number = number.replace(show.UNKNOWN, "-")
        entries.append([(sign, series.meaning), (f" {series.name} ", "label"), (number, "value")])
    return entries


def _mark_value(plot: Plot, marks: Marks) -> float | None:
    if not len(marks.x):
        return None
    if plot.cursor is None:
        return float(marks.y[-1])
    before = np.flatnonzero(marks.x <= plot.cursor + plot.x.span * 1e-9)
    return float(marks.y[before[-1]]) if len(before) else None


def _curve_value(plot: Plot, cols: Columns, width: int) -> float | None:
    if not len(cols.x):
        return None
    if plot.cursor is None:
        return float(cols.line[-1])
    place = int(x_places(plot, np.array([plot.cursor]), width)[0])
    at = min(int(np.searchsorted(cols.x, place, "right")) - 1, len(cols.x) - 1)
    return float(cols.line[at]) if at >= 0 else None


def title(plot: Plot, width: int, legend: list[list[Run]]) -> tuple[Run, ...]:
    """``Loss  ━━ train 1.083  ◆ validation 1.21 ─────``, as much of it as fits."""
    head = plot.title + (f" {plot.unit}" if plot.unit else "")
    line: list[Run] = [(head, "title"), (" ", "label")]
    used = len(head) + 1
    for entry in legend:
        for runs in (entry, [entry[0], (" ", "label"), entry[2]]):
            size = 2 + sum(len(text) for text, _ in runs)
            if used + size <= width:
                line += [(" ", "label"), *runs, (" ", "label")]
                used += size
                break
    tail = " log" if plot.y_log else ""
    rule = width - used - len(tail)
    if rule > 0:
        line.append(((("-" if plot.ascii else "─") * rule)[:rule], "rule"))
        line.append((tail, "label"))
    return _cut(line, width)


def cursor_column(plot: Plot, columns_: int) -> int | None:
    if plot.cursor is None:
        return None
    column = int(x_places(plot, np.array([plot.cursor]), columns_ * ACROSS)[0]) // ACROSS
    return column if 0 <= column < columns_ else None


def with_cursor(plot: Plot, runs: list[Run], at: int) -> list[Run]:
    """Puts the cursor's line into the row, behind what is drawn there."""
    result: list[Run] = []
    start = 0
    for text, style in runs:
        place = at - start
        if 0 <= place < len(text):
            free = text[place] in " \u2800"
            sign = ("|" if plot.ascii else "│") if free else text[place]
            result.append((text[:place], style))
            result.append((sign, "cursor" if free else style))
            result.append((text[place + 1 :], style))
        else:
            result.append((text, style))
        start += len(text)
    return [each for each in result if each[0]]


def x_axis(plot: Plot, margin: int, columns_: int) -> tuple[Run, ...]:
    """``└──0─────────5k────────10k── step``: the labels stand in the axis itself."""
    rule = "-" if plot.ascii else "─"
    corner = "+" if plot.ascii else "└"
    line = list(corner.rjust(margin + 1) + rule * columns_)
    name = f" {plot.x_name}"
    end = margin + 1 + columns_ - (len(name) if columns_ > 4 * len(name) else 0)
    marked = [False] * len(line)
    taken = margin
    for tick in axis.ticks(plot.x, max(1, columns_ // 10), plot.x_scale):
        share = (tick.value - plot.x.low) / plot.x.span
        centre = margin + 1 + min(int(share * columns_), columns_ - 1)
        start = max(centre - (len(tick.label) - 1) // 2, margin + 1)
        start = min(start, end - len(tick.label))
        if start <= taken:
            continue
        for offset, character in enumerate(tick.label):
            line[start + offset] = character
            marked[start + offset] = True
        taken = start + len(tick.label)
    if end < len(line):
        line[end:] = list(name)
        marked[end:] = [True] * len(name)
    return _grouped("".join(line), ["tick" if each else "axis" for each in marked])


def _grouped(text: str, styles: list[str]) -> tuple[Run, ...]:
    runs: list[Run] = []
    for character, style in zip(text, styles, strict=True):
        if runs and runs[-1][1] == style:
            runs[-1] = (runs[-1][0] + character, style)
        else:
            runs.append((character, style))
    return tuple(runs)


def _cut(runs: list[Run], width: int) -> tuple[Run, ...]:
    """The runs, cut or filled to ``width`` cells."""
    result: list[Run] = []
    room = width
    for text, style in runs:
        if room <= 0:
            break
        if text:
            result.append((text[:room], style))
            room -= len(text[:room])
    if room > 0:
        result.append((" " * room, "plot"))
    return tuple(result)


def x_places(plot: Plot, values: NDArray[np.float64], width: int) -> NDArray[np.int64]:
    """Dot columns of values, of ``width``; those out of sight land outside."""
    share = (values - plot.x.low) / plot.x.span
    place = np.floor(np.clip(share, -1e6, 1e6) * width).astype(np.int64)
    place[values == plot.x.high] = width - 1
    return place
