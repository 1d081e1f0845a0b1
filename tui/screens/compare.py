"""Compare: which strategy is best, by how much more than noise, and why."""

from __future__ import annotations

from tui import chosen_columns
from tui.background import in_background
from tui.compare_messages import ColumnsKnown
from tui.screens.compare_actions import CompareActions
from tui.screens.compare_columns import Ticks

LOOK = 0.5
"""Seconds between looks at the feed's slot; a table is made at most every two."""


class CompareScreen(CompareActions):
    """The table of the shown experiment, and what stands below it."""

    def on_mount(self) -> None:
        in_background(self, lambda: ColumnsKnown(chosen_columns.remembered()), "columns")
        self.set_interval(LOOK, self.look_again)
        self.grid.focus()

    def on_columns_known(self, message: ColumnsKnown) -> None:
        kept = message.kept
        self.ticks = Ticks(frozenset(kept.shown), frozenset(kept.hidden))
        self.show_all()

    def on_screen_resume(self) -> None:
        self.call_after_refresh(self._paint_again)

    def on_resize(self) -> None:
        self.call_after_refresh(self._paint_again)

    def _paint_again(self) -> None:
        self.look_again()
        self.show_all()
