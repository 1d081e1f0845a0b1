"""Live: what trains now, and how well."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.screen import Screen
from textual.widgets import Static

from tui.widgets.keys import KeysLine


class LiveScreen(Screen[None]):
    """The shown experiment, painted from the newest snapshot at most four times a second."""

    def compose(self) -> ComposeResult:
        yield Static("waiting for the first step", markup=False)
        yield KeysLine()
