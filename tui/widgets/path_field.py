"""One line to type in: a filter for the tree, or a path with completion."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widgets import Input

from tui import setup_messages


class PathField(Input):
    """Enter chooses, Tab completes, Backspace in the empty field (or Esc) leaves."""

    BINDING_GROUP_TITLE = "path"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "choose"),
        Binding("tab", "complete", "complete"),
        Binding("down", "leave(True)", "to the list", key_display="↓"),
        Binding("escape", "leave(False)", "leave", show=False),
    ]

    DEFAULT_CSS = """
    PathField {
        height: 1;
        border: none;
        padding: 0 1;
        background: $surface;
        &:focus {
            border: none;
            background: $panel;
        }
    }
    """

    def __init__(self) -> None:
        super().__init__(placeholder="/ filter, or type a path", select_on_focus=False)
        self.cursor_blink = False
        self._completions: tuple[str, ...] = ()

    def offer(self, completions: tuple[str, ...]) -> None:
        """What Tab can make of the text: whole texts, all of which begin with it."""
        self._completions = completions

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        if self.has_focus:
            self.post_message(setup_messages.PathTyped(event.value))

    def action_choose(self) -> None:
        self.post_message(setup_messages.PathTyped(self.value, done=True))

    def action_complete(self) -> None:
        completed = _common_start(self._completions)
        if len(completed) > len(self.value):
            self.value = completed
            self.cursor_position = len(completed)

    def action_leave(self, keep: bool) -> None:
        self.post_message(setup_messages.PathLeft(keep))

    def action_delete_left(self) -> None:
        if self.value:
            super().action_delete_left()
        else:
            self.action_leave(False)


def _common_start(texts: tuple[str, ...]) -> str:
    """The longest beginning that all texts share."""
    if not texts:
        return ""
    low, high = min(texts), max(texts)
    for number, character in enumerate(low):
        if high[number] != character:
            return low[:number]
    return low
