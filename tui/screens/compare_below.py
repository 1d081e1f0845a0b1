"""What stands below the table of the comparison: curves, or bars."""

from __future__ import annotations

from tui import compare_messages as messages
from tui.screens.paged import Page
from tui.widgets.chart import Chart


class CompareChart(Chart, can_focus=True):
    """The curves below the table."""

    DEFAULT_CSS = """
    CompareChart:focus .chart--title {
        text-style: bold underline;
    }
    """

    def on_resize(self) -> None:
        super().on_resize()
        self.post_message(messages.BelowResized())


class CompareBars(Page):
    """The bars below the table; they scroll where there are many."""

    def on_resize(self) -> None:
        super().on_resize()
        self.post_message(messages.BelowResized())
