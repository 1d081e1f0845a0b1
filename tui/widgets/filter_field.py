"""One line that filters a list while it is typed in; shown only while there is a filter."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Input


class FilterField(Input):
    """Filters the list while it is typed in; Enter or ↓ go to the list, Esc drops the filter."""

    BINDING_GROUP_TITLE = "filter"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,down,tab", "leave(True)", "to the list"),
        Binding("escape", "leave(False)", "leave", show=False),
    ]

    DEFAULT_CSS = """
    FilterField {
        height: 1;
        border: none;
        padding: 0 1;
        display: none;
        &:focus {
            border: none;
            background: $panel;
        }
    }
    """

    def __init__(
        self, back: Widget, about: str = "name, dataset, model, state or strategy"
    ) -> None:
        """``back`` gets the focus when the field is left; ``about``: what it looks for."""
        super().__init__(placeholder=about)
        self.cursor_blink = False
        self._back = back

    def action_leave(self, keep: bool) -> None:
        if not keep:
            self.value = ""
        self._back.focus()
        self.display = bool(self.value)

    def action_delete_left(self) -> None:
        if self.value:
            super().action_delete_left()
        else:
            self.action_leave(False)
