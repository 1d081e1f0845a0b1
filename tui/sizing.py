"""The terminal's size: a change is painted whole, and one that nobody told of is noticed."""

from __future__ import annotations

from typing import Any

from textual import events
from textual.app import App
from textual.geometry import Size
from textual.timer import Timer

from tui import output

_SETTLED = 0.15
"""Seconds without another change after which the screen is painted once more."""


class TerminalSize:
    """Keeps what is painted equal to the terminal's size."""

    def __init__(self, app: App[Any]) -> None:
        self._app = app
        self._settling: Timer | None = None

    def changed(self) -> None:
        """To be called at each resize; repaints once the size has come to rest.

        A terminal that becomes smaller forgets what it cuts off. Textual paints what differs from
        its last frame, and takes a size that is back at once for no change at all: without this
        the screen stays in shreds.
        """
        if self._settling is None:
            self._settling = self._app.set_timer(_SETTLED, self._repaint)
        else:
            self._settling.reset()

    def look(self) -> None:
        """Asks the terminal itself: a signal may have been missed on the way."""
        width, height = output.terminal_size() or self._app.size
        size = Size(width, height)
        told = events.Resize(size, size)
        if size != self._app.size:
            self._app.post_message(told)
        elif size != self._app.screen.outer_size:
            self._app.screen.post_message(told)

    def _repaint(self) -> None:
        self._settling = None
        # It may have ended meanwhile.
        if self._app.screen_stack:
            self._app.screen.refresh(layout=True)
