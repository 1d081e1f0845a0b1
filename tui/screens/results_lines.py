"""The list of the screen of results by class: only the lines in sight are made."""

from __future__ import annotations

from textual.content import Content
from textual.message import Message

from engine.report.classes import ClassReport
from tui.screens import results_model as model
from tui.screens.results_model import Entry
from tui.widgets import class_table
from tui.widgets.lines import Lines


class ResultLines(Lines):
    """The classes, or what is taken for what; the cursor stands on classes and pairs."""

    class Visited(Message):
        """The cursor stands on another line."""

    def __init__(self) -> None:
        super().__init__()
        self._report: ClassReport | None = None
        self.entries: list[Entry] = []
        self._columns: list[class_table.Column] = []

    @property
    def room(self) -> int:
        return self.scrollable_content_region.width

    @property
    def entry(self) -> Entry | None:
        return self.entries[self.cursor] if self.cursor < len(self.entries) else None

    def show(self, report: ClassReport | None, entries: list[Entry]) -> None:
        """The cursor stays on its class where that is still listed."""
        before = self.entry
        self._report, self.entries = report, entries
        # A matrix that is higher than its room only scrolls.
        self.has_cursor = bool(entries) and not isinstance(entries[0], Content)
        if report is not None:
            self._columns = class_table.columns(report, self.room - 1)
        self.set_count(len(entries))
        if isinstance(before, int) and before != self.entry and before in entries:
            self.cursor = entries.index(before)

    def can_stop_at(self, number: int) -> bool:
        return super().can_stop_at(number) and not isinstance(self.entries[number], Content)

    def watch_cursor(self, old: int, new: int) -> None:
        super().watch_cursor(old, new)
        self.post_message(self.Visited())

    def line(self, number: int, width: int) -> Content:
        entry = self.entries[number]
        if isinstance(entry, Content) or self._report is None:
            return entry if isinstance(entry, Content) else Content("")
        # Where colours are off the cursor is to be seen as well.
        mark = ("▌" if number == self.cursor else " ", "$primary")
        return Content.assemble(mark, model.line(self._report, entry, self._columns, width - 1))
