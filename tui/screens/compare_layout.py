"""How the comparison is laid out: sentences, the table, and a chart or bars below it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from textual.app import ComposeResult
from textual.content import Content
from textual.widget import Widget

from engine.report.column import Column
from engine.report.columns import COLUMNS
from engine.report.comparison import Comparison, Row
from tui import output
from tui.compared import Look
from tui.feed import Snapshot
from tui.screens import compare_words as words
from tui.screens.chart_keys import ChartKeys
from tui.screens.compare_bars import KINDS, Below
from tui.screens.compare_below import CompareBars, CompareChart
from tui.screens.compare_columns import Order, Ticks, chosen
from tui.screens.compare_plots import drawn
from tui.screens.compare_room import TALL, most_said, share
from tui.screens.compare_table import rows_in_order
from tui.widgets.comparison_table import ComparisonTable
from tui.widgets.keys import KeysLine
from tui.widgets.line import Line

if TYPE_CHECKING:
    from tui.app import ResnetTuiApp


NARROW = 110
"""Cells across below which a column of states takes room from figures."""


class CompareLayout(ChartKeys):
    """Paints what is known; what the keys do is for the screens made from this one."""

    DEFAULT_CSS = """
    CompareLayout {
        #compare-verdict, #compare-remarks, #compare-table, #compare-chart, #compare-bars {
            display: none;
        }
        ComparisonTable {
            margin: 0 1;
            scrollbar-gutter: stable;
        }
        #compare-head {
            color: $quiet;
        }
        CompareChart, CompareBars {
            margin: 1 1 0 1;
        }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self.look: Look | None = None
        """What the table was made of; ``None`` before there is one."""
        self.comparison: Comparison | None = None
        self.ticks = Ticks()
        self.order = Order()
        self.marked: tuple[str, ...] = ()
        """Keys of the rows that the user chose for the chart; none: the first ones."""
        self.below: Below = "loss"
        self.on_chart = False
        """Whether the keys go to the chart."""

    def compose(self) -> ComposeResult:
        yield Line(id="compare-title")
        yield Line(id="compare-progress")
        yield Line(id="compare-verdict")
        yield Line(id="compare-remarks")
        yield Line(id="compare-head")
        yield ComparisonTable()
        yield Line(id="compare-row")
        yield Line(id="compare-legend")
        yield Line(id="compare-held")
        yield CompareChart(id="compare-chart")
        yield CompareBars()
        yield KeysLine()

    @property
    def dashboard(self) -> ResnetTuiApp:
        return cast("ResnetTuiApp", self.app)

    @property
    def grid(self) -> ComparisonTable:
        return self.query_one(ComparisonTable)

    @property
    def snapshot(self) -> Snapshot | None:
        feed = self.dashboard.feed
        return feed.latest() if feed is not None else None

    @property
    def row(self) -> Row | None:
        """Under the cursor."""
        return self.comparison.row(self.grid.key) if self.comparison is not None else None

    def rows(self) -> tuple[Row, ...]:
        """All rows in the order of the screen."""
        if self.comparison is None:
            return ()
        parts = rows_in_order(self.comparison, COLUMNS, self.order)
        return tuple(row for _, part in parts for row in part)

    def columns(self) -> tuple[Column, ...]:
        found = self.comparison.rows if self.comparison is not None else ()
        return chosen(COLUMNS, found, self.ticks, self.is_narrow)

    @property
    def is_narrow(self) -> bool:
        return self.size.width < NARROW

    def drawn(self) -> tuple[str, ...]:
        """The keys of the rows on the chart, each at the place of its sign."""
        planned = self.comparison.rows if self.comparison is not None else ()
        return drawn(self.rows(), planned, self.grid.key, self.marked)

    @property
    def shows_bars(self) -> bool:
        return self.below in KINDS

    # Its parts

    def line(self, name: str) -> Line:
        return self.query_one(f"#compare-{name}", Line)

    def share_room(self, lines: int) -> bool:
        """Gives every part its rows, the table ``lines`` of them; whether any are left below it."""
        comparison = self.comparison
        if comparison is None or not self.size.width:
            return False
        width, height = self.size.width - 2, self.size.height
        most_verdict, most_remarks = most_said(height)
        told_ = {
            "verdict": words.verdict(comparison.verdict, width, most_verdict),
            "remarks": words.remarks(comparison, width, most_remarks),
        }
        used = 0
        for name, said in told_.items():
            self._say(self.line(name), said)
            used += len(said)
        singles = ["title", "progress", "head"]
        for name, wanted in (
            ("row", any(words.of_row(each, width).plain for each in comparison.rows)),
            ("legend", len(comparison.rows) > 1),
            ("held", bool(comparison.held)),
        ):
            self.line(name).display = wanted
            singles.append(name)
        used += sum(self.line(name).display for name in singles) + 1
        airy = height >= TALL
        self.line("head").styles.margin = (1 if airy else 0, 0, 0, 0)
        room = share(height - used - airy, lines, self.on_chart)
        _set_rows(self.grid, room.table)
        chart, bars = self.query_one(CompareChart), self.query_one(CompareBars)
        for widget, shown in ((chart, not self.shows_bars), (bars, self.shows_bars)):
            widget.display = shown and room.chart > 0
            # A row of it is the margin above.
            _set_rows(widget, max(1, room.chart - 1))
        self._focus()
        return room.chart > 0

    def _say(self, line: Line, lines: Sequence[Content]) -> None:
        line.display = bool(lines)
        _set_rows(line, max(1, len(lines)))
        line.show(Content("\n").join(lines))

    def _focus(self) -> None:
        """The part with the keys is in sight."""
        if not self.is_current or output.backlog(self.app) > 1:
            return
        chart: Widget = self.query_one(CompareBars if self.shows_bars else CompareChart)
        wanted = chart if self.on_chart else self.grid
        if wanted.display and self.focused is not wanted:
            wanted.focus(scroll_visible=False)


def _set_rows(widget: Widget, rows: int) -> None:
    height = widget.styles.height
    if height is None or height.value != rows or not height.is_cells:
        widget.styles.height = rows
