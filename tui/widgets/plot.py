"""One chart drawn into rows of text: a title with its legend, axes, curves and marks. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from engine.journal.history import Buckets
from tui.widgets import axis
from tui.widgets import format as show
from tui.widgets.axis import Limits, Scale
from tui.widgets.canvas import ACROSS, DOWN, Canvas
from tui.widgets.curve import Columns, columns

Run = tuple[str, str]
"""Some text and the name of its style: a component class of the chart without its prefix."""

DASHES = ((1, 0), (4, 2), (1, 2), (6, 2))
"""Dot columns drawn and left out: curves of several runs are told apart without colour."""

DASH_GLYPHS = ("━━", "╍╍", "┄┄", "━╍")
MARK_GLYPHS = ("◆", "●", "▲", "■")
_ASCII_MARKS = "oxv#"
_ASCII_DASHES = ("**", "++", "..", "%%")


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """A metric of every step. ``meaning`` names its colour, ``nth`` its dash."""

    name: str
    meaning: str
    buckets: Buckets
    nth: int = 0
    band: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """Sparse values, one mark each; never joined to a line."""

    name: str
    meaning: str
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    nth: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """What a chart shows. The values of all series are in the units of the y axis."""

    title: str
    series: Sequence[Curve | Marks]
    x: Limits
    x_scale: Scale = "linear"
    x_name: str = "step"
    unit: str = ""
    y_log: bool = False
    floor: float | None = None
    """The y axis never goes below this."""
    ceiling: float | None = None
    include: tuple[float, ...] = ()
    """Values that the y axis holds in any case."""
    calm: float = 0.0
    """The y axis spans at least this share of its middle: noise of a steady value stays small."""
    smoothing: float = 0.015
    """Share of what is in sight that the moving average reaches over."""
    cursor: float | None = None
    waiting: str = ""
    """Shown instead of curves while there are none."""
    number: Callable[[float | None], str] = field(default=show.plain)
    ascii: bool = False


@dataclass(frozen=True, slots=True)
class Drawing:
    """The finished rows, and what to hold on to next time."""

    rows: tuple[tuple[Run, ...], ...]
    limits: Limits | None
    margin: int = 6
    """Cells left of the curves."""


def draw(plot: Plot, width: int, height: int, previous: Drawing | None = None) -> Drawing:
    """Draws a chart of ``width`` x ``height`` cells: title, plot, x axis."""
    return _Painter(plot, width, height).draw(previous)


class _Painter:
    def __init__(self, plot: Plot, width: int, height: int) -> None:
        self.plot, self.width, self.height = plot, width, height
        self.rows = height - 2
        """Cell rows of the plot area."""

    def draw(self, before: Drawing | None) -> Drawing:
        plot = self.plot
        previous = before.limits if before is not None else None
        if self.rows < 2 or self.width < 16:
            blank = ((" " * self.width, "axis"),)
            return Drawing((self._title([]), *(blank,) * (self.height - 1)), previous)
        # Labels take room from the curves, and depend on them: mostly it is what it was before.
        expected = before.margin if before is not None else 6
        guess = max(4, self.width - expected) * ACROSS
        found = {id(each): self._columns(each, guess) for each in plot.series}
        if not any(len(each[0]) for each in self._values(found)):
            return Drawing(self._empty(), previous)
        limits = self._limits(found, previous)
        ticks = self._y_ticks(limits)
        margin = max((len(each.label) for each in ticks), default=1)
        canvas = Canvas(self.width - margin - 1, self.rows, "" if not plot.ascii else "..:*+%#@")
        if canvas.width != guess:
            found = {id(each): self._columns(each, canvas.width) for each in plot.series}
        layers = self._paint(canvas, found, limits)
        return Drawing(
            (
                self._title(self._legend(found, canvas.width)),
                *self._plot_rows(canvas, layers, ticks, limits, margin),
                self._x_axis(margin, canvas.columns),
            ),
            limits,
            margin + 1,
        )

    # From series to dots

    def _columns(self, series: Curve | Marks, width: int) -> Columns | None:
        if isinstance(series, Marks):
            return None
        return columns(
            series.buckets, self.plot.x.low, self.plot.x.high, width, self.plot.smoothing
        )

    def _values(
        self, found: dict[int, Columns | None]
    ) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
        """Lower and upper edge of what is drawn, outliers apart, per series."""
        values = []
        for series in self.plot.series:
            cols = found[id(series)]
            if isinstance(series, Marks):
                y = series.y[(series.x >= self.plot.x.low) & (series.x <= self.plot.x.high)]
                values.append((y, y))
            elif cols is not None and series.band:
                low = np.minimum(np.maximum(cols.band_low, cols.low), cols.line)
                high = np.maximum(np.minimum(cols.band_high, cols.high), cols.line)
                values.append((low, high))
            elif cols is not None:
                values.append((cols.line, cols.line))
        return values

    def _limits(self, found: dict[int, Columns | None], previous: Limits | None) -> Limits:
        values = self._values(found)
        lows = np.concatenate([low for low, _ in values])
        highs = np.concatenate([high for _, high in values])
        if self.plot.y_log:
            lows, highs = lows[lows > 0], highs[highs > 0]
            if not len(lows) or not len(highs):
                lows = highs = np.array([1.0])
            return axis.sticky(previous, float(lows.min()), float(highs.max()), "log")
        low, high = float(lows.min()), float(highs.max())
        room = 0.35 * (high - low)
        for series in self.plot.series:
            cols = found[id(series)]
            if cols is not None and len(cols.x) and isinstance(series, Curve) and series.band:
                low = min(low, max(float(cols.low.min()), low - room))
                high = max(high, min(float(cols.high.max()), high + room))
        low, high = min(low, *self.plot.include, low), max(high, *self.plot.include, high)
        lacking = self.plot.calm * abs(low + high) / 2 - (high - low)
        if lacking > 0:
            low, high = low - lacking / 2, high + lacking / 2
        limits = axis.sticky(previous, low, high)
        floor, ceiling = self.plot.floor, self.plot.ceiling
        return Limits(
            limits.low if floor is None else max(limits.low, min(floor, low)),
            limits.high if ceiling is None else min(limits.high, max(ceiling, high)),
        )

    def _y(self, values: NDArray[np.float64], limits: Limits) -> NDArray[np.int64]:
        """Dot rows of values, from the top; those off the scale land outside."""
        low, high = limits.low, limits.high
        if self.plot.y_log:
            values = np.log(np.maximum(values, 1e-300))
            low, high = math.log(low), math.log(high)
        share = (values - low) / (high - low)
        dots = (1.0 - share) * (self.rows * DOWN - 1)
        return np.rint(np.clip(dots, -1e6, 1e6)).astype(np.int64)

    def _x(self, values: NDArray[np.float64], width: int) -> NDArray[np.int64]:
        share = (values - self.plot.x.low) / self.plot.x.span
        place = np.floor(np.clip(share, -1e6, 1e6) * width).astype(np.int64)
        place[values == self.plot.x.high] = width - 1
        return place

    def _paint(self, canvas: Canvas, found: dict[int, Columns | None], limits: Limits) -> list[str]:
        """Draws all layers, the dim ones first; returns their styles."""
        styles = ["outlier", "band", "edge", *(each.meaning for each in self.plot.series)]
        # The first series is the foremost: it is drawn last of its kind.
        ordered = list(enumerate(self.plot.series, start=3))[::-1]
        curves = [(layer, each) for layer, each in ordered if isinstance(each, Curve)]
        for _, series in curves:
            cols = found[id(series)]
            if cols is not None and len(cols.x) and series.band:
                self._paint_spread(canvas, cols, limits)
        for layer, series in curves:
            cols = found[id(series)]
            if cols is not None:
                dash = DASHES[series.nth % len(DASHES)]
                canvas.line(cols.x, self._y(cols.line, limits), layer, dash)
        for layer, each in ordered:
            if isinstance(each, Marks):
                self._paint_marks(canvas, each, limits, layer)
        return styles

    def _paint_spread(self, canvas: Canvas, cols: Columns, limits: Limits) -> None:
        bottom = canvas.height - 1
        x = np.concatenate((cols.x[cols.outlier_low], cols.x[cols.outlier_high]))
        if len(x):
            y = np.concatenate((cols.low[cols.outlier_low], cols.high[cols.outlier_high]))
            canvas.dots(x, self._y(y, limits), 0)
        top = self._y(cols.band_high, limits)
        low = self._y(cols.band_low, limits)
        canvas.columns_between(cols.x, np.clip(top, 0, None), np.clip(low, None, bottom), 1, 2)
        off = np.rint(self._y(cols.high, limits)) < 0
        for column in np.unique(cols.x[off & cols.outlier_high] // ACROSS).tolist():
            canvas.mark(column, 0, "^" if self.plot.ascii else "▴", 2)
        off = self._y(cols.low, limits) > bottom
        for column in np.unique(cols.x[off & cols.outlier_low] // ACROSS).tolist():
            canvas.mark(column, canvas.rows - 1, "v" if self.plot.ascii else "▾", 2)

    def _paint_marks(self, canvas: Canvas, marks: Marks, limits: Limits, layer: int) -> None:
        x = self._x(marks.x, canvas.width) // ACROSS
        y = np.clip(self._y(marks.y, limits) // DOWN, 0, canvas.rows - 1)
        glyph = self._mark_glyph(marks.nth)
        for column, row in zip(x.tolist(), y.tolist(), strict=True):
            canvas.mark(column, row, glyph, layer)

    def _mark_glyph(self, nth: int) -> str:
        return (_ASCII_MARKS if self.plot.ascii else MARK_GLYPHS)[nth % len(MARK_GLYPHS)]

    def _dash_glyph(self, nth: int) -> str:
        return (_ASCII_DASHES if self.plot.ascii else DASH_GLYPHS)[nth % len(DASH_GLYPHS)]

    # Title and legend

    def _legend(self, found: dict[int, Columns | None], width: int) -> list[list[Run]]:
        """Per series: its sign, its name, and its value at the cursor or at the end."""
        entries = []
        for series in self.plot.series:
            cols = found[id(series)]
            if isinstance(series, Marks):
                sign, value = self._mark_glyph(series.nth), self._mark_value(series)
            else:
                sign = self._dash_glyph(series.nth)
                value = self._curve_value(cols, width) if cols is not None else None
            number = self.plot.number(value)
            if self.plot.ascii:
                number = number.replace(show.UNKNOWN, "-")
            entries.append(
                [(sign, series.meaning), (f" {series.name} ", "label"), (number, "value")]
            )
        return entries

    def _mark_value(self, marks: Marks) -> float | None:
        if not len(marks.x):
            return None
        if self.plot.cursor is None:
            return float(marks.y[-1])
        before = np.flatnonzero(marks.x <= self.plot.cursor + self.plot.x.span * 1e-9)
        return float(marks.y[before[-1]]) if len(before) else None

    def _curve_value(self, cols: Columns, width: int) -> float | None:
        if not len(cols.x):
            return None
        if self.plot.cursor is None:
            return float(cols.line[-1])
        place = int(self._x(np.array([self.plot.cursor]), width)[0])
        at = min(int(np.searchsorted(cols.x, place, "right")) - 1, len(cols.x) - 1)
        return float(cols.line[at]) if at >= 0 else None

    def _title(self, legend: list[list[Run]]) -> tuple[Run, ...]:
        """``Loss  ━━ train 1.083  ◆ validation 1.21 ─────``, as much of it as fits."""
        plot = self.plot
        head = plot.title + (f" {plot.unit}" if plot.unit else "")
        line: list[Run] = [(head, "title"), (" ", "label")]
        used = len(head) + 1
        for entry in legend:
            for runs in (entry, [entry[0], (" ", "label"), entry[2]]):
                size = 2 + sum(len(text) for text, _ in runs)
                if used + size <= self.width:
                    line += [(" ", "label"), *runs, (" ", "label")]
                    used += size
                    break
        tail = " log" if plot.y_log else ""
        rule = self.width - used - len(tail)
        if rule > 0:
            line.append(((("-" if plot.ascii else "─") * rule)[:rule], "rule"))
            line.append((tail, "label"))
        return _cut(line, self.width)

    # Axes

    def _y_ticks(self, limits: Limits) -> list[axis.Tick]:
        scale: Scale = "log" if self.plot.y_log else "linear"
        return axis.ticks(limits, max(2, min(8, self.rows // 3 + 1)), scale)

    def _plot_rows(
        self,
        canvas: Canvas,
        styles: list[str],
        ticks: list[axis.Tick],
        limits: Limits,
        margin: int,
    ) -> list[tuple[Run, ...]]:
        labels: dict[int, str] = {}
        for tick in ticks:
            row = int(self._y(np.array([tick.value]), limits)[0]) // DOWN
            labels.setdefault(min(max(row, 0), self.rows - 1), tick.label)
        cursor = self._cursor_column(canvas)
        wall, notch = ("|", "+") if self.plot.ascii else ("│", "┤")
        rows = []
        for number in range(self.rows):
            label = labels.get(number, "")
            runs: list[Run] = [
                (label.rjust(margin), "tick"),
                (notch if label else wall, "axis"),
            ]
            for text, layer in canvas.row(number):
                runs.append((text, styles[layer] if layer >= 0 else "plot"))
            rows.append(
                tuple(runs if cursor is None else self._with_cursor(runs, cursor + margin + 1))
            )
        return rows

    def _cursor_column(self, canvas: Canvas) -> int | None:
        if self.plot.cursor is None:
            return None
        column = int(self._x(np.array([self.plot.cursor]), canvas.width)[0]) // ACROSS
        return column if 0 <= column < canvas.columns else None

    def _with_cursor(self, runs: list[Run], at: int) -> list[Run]:
        """Puts the cursor's line into the row, behind what is drawn there."""
        result: list[Run] = []
        start = 0
        for text, style in runs:
            place = at - start
            if 0 <= place < len(text):
                free = text[place] in " \u2800"
                sign = ("|" if self.plot.ascii else "│") if free else text[place]
                result.append((text[:place], style))
                result.append((sign, "cursor" if free else style))
                result.append((text[place + 1 :], style))
            else:
                result.append((text, style))
            start += len(text)
        return [each for each in result if each[0]]

    def _x_axis(self, margin: int, columns_: int) -> tuple[Run, ...]:
        """``└──0─────────5k────────10k── step``: the labels stand in the axis itself."""
        plot = self.plot
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

    def _empty(self) -> tuple[tuple[Run, ...], ...]:
        """The axes' place without curves, and a word on what is awaited."""
        blank: tuple[Run, ...] = ((" " * self.width, "plot"),)
        words = self.plot.waiting[: self.width].center(self.width)
        rows = [blank] * (self.height - 1)
        rows[(self.rows - 1) // 2] = ((words, "label"),)
        return (self._title([]), *rows)


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
