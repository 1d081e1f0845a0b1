"""One setting as a form shows it, and the line in which its value is typed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widgets import Input

from tui import setup_messages


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One setting as it is shown. ``problem`` is what is wrong with ``text``."""

    name: str
    label: str
    text: str
    unit: str = ""
    source: str = ""
    about: str = ""
    choices: tuple[str, ...] = ()
    open_choices: bool = False
    problem: str = ""
    group: str = ""
    """Under which it stands: some groups fold."""


class ValueInput(Input):
    """Takes the new text: Enter keeps it and goes on, Esc (or Backspace when empty) does not."""

    BINDING_GROUP_TITLE = "typing a value"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "keep(1)", "next", priority=True),
        Binding("down", "keep(1)", "next", show=False),
        Binding("up", "keep(-1)", "previous", show=False),
        Binding("tab", "keep(1)", "next", show=False),
        Binding("shift+tab", "keep(-1)", "previous", show=False),
        Binding("escape", "drop", "leave it", key_display="Esc"),
    ]

    def __init__(self, left: Callable[[int], None]) -> None:
        """``left`` is called with how many fields to go on, before the next key is looked at."""
        super().__init__(select_on_focus=False, compact=True)
        self.cursor_blink = False
        self._setting = ""
        self._before = ""
        self._left = left

    def begin(self, field: Field, first: str) -> None:
        self._setting = field.name
        self._before = field.text
        self.value = first or field.text
        self.cursor_position = len(self.value)

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()

    def on_blur(self) -> None:
        if self.display:
            self._left(0)

    def action_keep(self, step: int) -> None:
        if self.value != self._before:
            self.post_message(setup_messages.SettingEdited(self._setting, self.value))
        self._left(step)

    def action_drop(self) -> None:
        self._left(0)

    def action_delete_left(self) -> None:
        if self.value:
            super().action_delete_left()
        else:
            self.action_drop()
