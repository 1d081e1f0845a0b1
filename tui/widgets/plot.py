"""One chart drawn into rows of text: a title with its legend, axes, curves and marks. Pure."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tui.widgets import axis
from tui.widgets import plot_words as words
from tui.widgets.axis import Limits, Scale
from tui.widgets.canvas import ACROSS, DOWN, Canvas
from tui.widgets.curve import Columns, columns
from tui.widgets.plot_limits import edges, y_limits
from tui.widgets.series import Curve, Drawing, Marks, Plot, Run


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
            return Drawing(
                (words.title(self.plot, self.width, []), *(blank,) * (self.height - 1)), previous
            )
        # Labels take room from the curves, and depend on them: mostly it is what it was before.
        expected = before.margin if before is not None else 6
        guess = max(4, self.width - expected) * ACROSS
        found = {id(each): self._columns(each, guess) for each in plot.series}
        if not any(len(each[0]) for each in edges(plot, found)):
            return Drawing(self._empty(), previous)
        limits = y_limits(plot, found, previous)
        ticks = self._y_ticks(limits)
        margin = max((len(each.label) for each in ticks), default=1)
        canvas = Canvas(self.width - margin - 1, self.rows, words.ascii_layers(plot))
        if canvas.width != guess:
            found = {id(each): self._columns(each, canvas.width) for each in plot.series}
        layers = self._paint(canvas, found, limits)
        return Drawing(
            (
                words.title(plot, self.width, words.legend(plot, found, canvas.width)),
                *self._plot_rows(canvas, layers, ticks, limits, margin),
                words.x_axis(plot, margin, canvas.columns),
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

    def _y(self, values: NDArray[np.float64], limits: Limits) -> NDArray[np.int64]:
        """Dot rows of values, from the top; those off the scale land outside."""
        low, high = limits.low, limits.high
        if self.plot.y_log:
            values = np.log(np.maximum(values, 1e-300))
            low, high = math.log(low), math.log(high)
        share = (values - low) / (high - low)
        dots = (1.0 - share) * (self.rows * DOWN - 1)
        return np.rint(np.clip(dots, -1e6, 1e6)).astype(np.int64)

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
                dash = words.DASHES[series.nth % len(words.DASHES)]
                y = self._y(cols.line, limits)
                canvas.line(cols.x, y, layer, dash)
                self._mark_beyond(canvas, cols.x[y < 0], layer)
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
        off = self._y(cols.high, limits) < 0
        self._mark_beyond(canvas, cols.x[off & cols.outlier_high], 2)
        off = self._y(cols.low, limits) > bottom
        self._mark_beyond(canvas, cols.x[off & cols.outlier_low], 2, above=False)

    def _paint_marks(self, canvas: Canvas, marks: Marks, limits: Limits, layer: int) -> None:
        known = ~np.isnan(marks.y)
        x = words.x_places(self.plot, marks.x[known], canvas.width)
        y = self._y(marks.y[known], limits)
        beyond = y < 0
        rows = np.minimum(y // DOWN, canvas.rows - 1)
        glyph = words.mark_glyph(self.plot, marks.nth)
        for column, row in zip(
            (x // ACROSS)[~beyond].tolist(), rows[~beyond].tolist(), strict=True
        ):
            canvas.mark(column, row, glyph, layer)
        self._mark_beyond(canvas, x[beyond], layer)

    def _mark_beyond(
        self, canvas: Canvas, x: NDArray[np.int64], layer: int, above: bool = True
    ) -> None:
        """Says at the edge that something at these dot columns lies off the scale."""
        glyph = ("^" if above else "v") if self.plot.ascii else ("▴" if above else "▾")
        for column in np.unique(x // ACROSS).tolist():
            canvas.mark(column, 0 if above else canvas.rows - 1, glyph, layer)

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
        cursor = words.cursor_column(self.plot, canvas.columns)
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
                tuple(
                    runs
                    if cursor is None
                    else words.with_cursor(self.plot, runs, cursor + margin + 1)
                )
            )
        return rows

    def _empty(self) -> tuple[tuple[Run, ...], ...]:
        """The axes' place without curves, and a word on what is awaited."""
        blank: tuple[Run, ...] = ((" " * self.width, "plot"),)
        awaited = self.plot.waiting[: self.width].center(self.width)
        rows = [blank] * (self.height - 1)
        rows[(self.rows - 1) // 2] = ((awaited, "label"),)
        return (words.title(self.plot, self.width, []), *rows)
