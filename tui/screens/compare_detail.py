"""The details of a row: settings that differ, repeats, and where time and memory go."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, cast

from textual.binding import Binding, BindingType
from textual.content import Content

from engine.plan.text import clean
from engine.report.comparison import Row
from tui.compared import run_to_look_at
from tui.feed import Snapshot
from tui.screens.compare_out import Known
from tui.screens.compare_sections import details
from tui.screens.paged import PagedScreen
from tui.widgets.line import heading

if TYPE_CHECKING:
    from tui.app import ResnetTuiApp

WIDEST = 120
"""Cells across beyond which a line is hard to read."""


class CompareDetail(PagedScreen):
    """Of the row with that key, as the newest table has it."""

    FIRST_KEYS: ClassVar[tuple[str, ...]] = ("close", "look", "copy_command")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("v", "look(0)", "look at the run", tooltip="look at the run in Live"),
        Binding("y", "copy_command", "copy as command"),
        Binding("enter,backspace,escape", "close", "back", key_display="Backspace"),
        *(
            Binding(str(number), f"look({number})", f"look at repeat {number}", show=False)
            for number in range(1, 10)
        ),
    ]

    def __init__(self, key: str, known: Callable[[], Known | None]) -> None:
        super().__init__()
        self._key, self._known = key, known
        self._lines: list[Content] = []
        self._of: tuple[object, ...] = ()

    @property
    def _row(self) -> Row | None:
        known = self._known()
        return known[1].row(self._key) if known is not None else None

    def title_of(self, snapshot: Snapshot, width: int) -> Content:
        row = self._row
        if row is None:
            return heading("Details", width)
        figures = row.figures
        return heading(clean(figures.name), width, f"{figures.state} · {clean(figures.experiment)}")

    def lines_of(self, snapshot: Snapshot, width: int) -> list[Content]:
        known, row = self._known(), self._row
        if known is None or row is None:
            return [Content.styled("it is no longer in the table", "$quiet")]
        if self._of != (known[1], width):
            self._of = (known[1], width)
            self._lines = details(*known, row, min(width, WIDEST))
        return self._lines

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        row, known = self._row, self._known()
        if row is None or known is None:
            return action not in ("look", "copy_command")
        if action == "look":
            number = cast("int", parameters[0])
            return known[0].is_shown(row) and number <= len(row.repeats)
        return True

    def action_look(self, number: int) -> None:
        row = self._row
        if row is not None:
            chosen = row.repeats[number - 1] if number else run_to_look_at(row)
            app = cast("ResnetTuiApp", self.app)
            self.dismiss()
            app.call_later(app.show_run, chosen.run)

    def action_copy_command(self) -> None:
        from tui.screens.compare_out import copy_command

        known, row = self._known(), self._row
        if known is not None and row is not None:
            copy_command(cast("ResnetTuiApp", self.app), known[0], row)
