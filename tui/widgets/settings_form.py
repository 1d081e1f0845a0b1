"""The settings as one line each: name, value, unit, and where the value came from.

Those that few people change stand in groups that fold, each under a line of its own.

The form draws fields and tells what was typed (``SettingEdited``); reading a text, and knowing
what the others become by it, is the screen's part. One input serves all lines: it is put over the
value that is being changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container

from tui.widgets.setting_lines import SettingLines
from tui.widgets.value_input import Field, ValueInput


class SettingsForm(Container):
    """Up and down walk, left and right change a choice, Enter or a digit begins typing."""

    BINDING_GROUP_TITLE = "settings"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("m", "more", "more", tooltip="all settings, or only those of the first lines")
    ]

    DEFAULT_CSS = """
    SettingsForm {
        layers: below above;
        height: 1fr;
    }
    SettingsForm > SettingLines {
        layer: below;
        height: 1fr;
    }
    SettingsForm > ValueInput {
        layer: above;
        display: none;
        height: 1;
        border: none;
        padding: 0;
        background: $foreground 15%;
    }
    """

    def compose(self) -> ComposeResult:
        yield SettingLines(self.edit)
        yield ValueInput(self._end_edit)

    @property
    def lines(self) -> SettingLines:
        return self.query_one(SettingLines)

    def show_fields(self, fields: Sequence[Field]) -> None:
        self.lines.show_fields(fields)

    def go_to(self, name: str) -> None:
        """Puts the cursor on a setting, opening the group that it stands in."""
        self.lines.go_to(name)

    def action_more(self) -> None:
        self.lines.action_more()

    def edit(self, field: Field, row: int, first: str = "") -> None:
        """Begins typing over the value of ``field``; ``first`` replaces what is there."""
        typing = self.query_one(ValueInput)
        typing.begin(field, first)
        label = self.lines.label_width
        typing.styles.offset = (label + 2, row)
        typing.styles.width = max(8, min(self.size.width - label - 3, 60))
        typing.display = True
        typing.focus()

    def _end_edit(self, step: int) -> None:
        """Back to the lines, ``step`` further."""
        self.lines.focus()
        self.query_one(ValueInput).display = False
        if step:
            self.lines.action_step(step)
