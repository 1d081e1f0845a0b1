"""The lines of the settings: walking them, changing a choice, folding a group."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content

from tui import setup_messages
from tui.widgets.lines import Lines
from tui.widgets.setting_rows import GROUPS, REMARK, Row, head, rows
from tui.widgets.value_input import Field

_VALUE = 11
"""Cells of a value, at least."""


class SettingLines(Lines):
    """The lines of the form."""

    BINDING_GROUP_TITLE = "settings"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "enter", "edit, next"),
        Binding("right", "cycle(1)", "change", key_display="← →"),
        Binding("left", "cycle(-1)", "change back", show=False),
        Binding("space", "cycle(1)", "change", show=False),
        Binding("delete", "default", "default"),
    ]

    def __init__(self, edit: Callable[[Field, int, str], None]) -> None:
        """``edit`` has a field typed over in a row, its text begun with the third."""
        super().__init__()
        self._begin_edit = edit
        self._fields: tuple[Field, ...] = ()
        self._rows: list[Row] = []
        self.opened: set[str] = set()
        """Groups that are not folded."""
        self.label_width = 0
        """Columns of the labels: the longest and a space, so that values stand below each other."""

    # What the screen tells

    def show_fields(self, fields: Sequence[Field]) -> None:
        self._fields = tuple(fields)
        self.label_width = max((len(each.label) + 1 for each in fields), default=0)
        self.opened |= {each.group for each in fields if each.problem} & GROUPS.keys()
        self._make_rows()

    def go_to(self, name: str) -> None:
        group = next((each.group for each in self._fields if each.name == name), "")
        if group in GROUPS and group not in self.opened:
            self.opened.add(group)
            self._make_rows()
        for number, row in enumerate(self._rows):
            if row.field is not None and row.field.name == name and not row.problem:
                self.cursor = number
                return

    # Keys

    @property
    def field(self) -> Field | None:
        """The setting under the cursor; ``None`` on the line of a group."""
        return self._row.field

    @property
    def _row(self) -> Row:
        return self._rows[self.cursor] if self.cursor < len(self._rows) else Row()

    def on_key(self, event: events.Key) -> None:
        """A digit on a number begins typing it; elsewhere it is the screen's."""
        typed = event.character or ""
        if self.field and not self.field.choices and len(typed) == 1 and typed in "0123456789.":
            event.stop()
            event.prevent_default()
            self._edit(typed)

    def action_enter(self) -> None:
        if self.field is None:
            self._fold(self._row.head)
        elif self.field.choices and not self.field.open_choices:
            self.action_step(1)
        else:
            self._edit("")

    def action_cycle(self, by: int) -> None:
        field = self.field
        if field is None:
            if (self._row.head in self.opened) == (by < 0):
                self._fold(self._row.head)
        elif field.choices:
            known = field.text in field.choices
            at = field.choices.index(field.text) + by if known else 0
            self.post_message(
                setup_messages.SettingEdited(field.name, field.choices[at % len(field.choices)])
            )

    def action_default(self) -> None:
        if self.field is not None:
            self.post_message(setup_messages.SettingEdited(self.field.name, None))

    def action_more(self) -> None:
        """Opens all groups, or closes them where one is open."""
        self.opened = set() if self.opened else set(GROUPS)
        self._make_rows()
        self.cursor = next((n for n, row in enumerate(self._rows) if row.head), self.cursor)

    def _fold(self, group: str) -> None:
        """Opens or closes one group; as much of an opened one as fits comes into sight."""
        self.opened ^= {group}
        self._make_rows()
        at = next((n for n, row in enumerate(self._rows) if row.head == group), self.cursor)
        self.cursor = at
        inside = sum(each.group == group for each in self._fields) if group in self.opened else 0
        hidden = at + inside + 1 - round(self.scroll_y) - self.scrollable_content_region.height
        if hidden > 0:
            self.scroll_to(y=min(at, round(self.scroll_y) + hidden), animate=False)

    def watch_cursor(self, old: int, new: int) -> None:
        super().watch_cursor(old, new)
        self._tell_visited()

    def on_focus(self) -> None:
        self._tell_visited()

    def _tell_visited(self) -> None:
        if self.has_focus:
            self.post_message(setup_messages.SettingVisited(self.field.name if self.field else ""))

    def _edit(self, first: str) -> None:
        if self.field is not None:
            self._begin_edit(self.field, self.cursor - round(self.scroll_y), first)

    # Rows

    def can_stop_at(self, number: int) -> bool:
        return super().can_stop_at(number) and not self._rows[number].problem

    def on_resize(self) -> None:
        self._make_rows()
        super().on_resize()

    def line(self, number: int, width: int) -> Content:
        row = self._rows[number]
        field = row.field
        if row.problem:
            return Content.assemble(" " * REMARK, (row.problem, "$error"))
        here = number == self.cursor and self.has_focus
        pointer = ("▌ " if here else "  ", "$primary")
        if field is None:
            opened = row.head in self.opened
            return Content.assemble(pointer, head(row.head, self._fields, opened, self.label_width))
        given = field.source not in ("", "default")
        style = "$error" if field.problem else "bold" if given else ""
        room = max(_VALUE, width - self.label_width - 4) if len(field.text) > _VALUE else _VALUE
        # Only limits may be left empty.
        shown = (field.text, style) if field.text else ("no limit", "$quiet")
        value = Content.assemble(shown).truncate(room, ellipsis=True, pad=True)
        if here and field.choices:
            value = Content.assemble(("‹", "$quiet"), field.text, ("›", "$quiet")).truncate(
                max(room, len(field.text) + 2), ellipsis=True, pad=True
            )
        return Content.assemble(
            pointer,
            (field.label.ljust(self.label_width), "" if here else "$quiet"),
            value,
            (f" {field.unit:<7}", "$quiet"),
            (field.source, "$accent" if field.source in ("you", "flag") else "$quiet"),
        )

    def _make_rows(self) -> None:
        before = self._row
        width = self.scrollable_content_region.width - REMARK - 1
        self._rows = rows(self._fields, self.opened, width)
        self.set_count(len(self._rows))
        if before.head:
            heads = (n for n, row in enumerate(self._rows) if row.head == before.head)
            self.cursor = next(heads, self.cursor)
        elif before.field is not None and self._row.field is not before.field:
            self._return_to(before.field)

    def _return_to(self, field: Field) -> None:
        """After the lines changed: to the same setting, or to the group that it is folded into."""
        for number, row in enumerate(self._rows):
            same = row.field is not None and row.field.name == field.name and not row.problem
            if same or row.head == field.group:
                self.cursor = number
            if same:
                return
