"""What leaves for the terminal beside Textual's frames, and how much of it is still waiting."""

from __future__ import annotations

import os
import shutil
import sys
import termios
from collections.abc import Mapping
from typing import Any

from textual.app import App

from engine.plan.text import clean


def backlog(app: App[Any]) -> int:
    """Writes that wait for the terminal; 0 where that cannot be known.

    A terminal that does not read (a stalled SSH line) lets them pile up; Textual blocks its event
    loop at thirty. Screens paint nothing new while more than one waits. The queue is private to
    Textual, so this is the only place that knows of it.
    """
    writer = getattr(app._driver, "_writer_thread", None)
    queue = getattr(writer, "_queue", None)
    size = getattr(queue, "qsize", None)
    return int(size()) if callable(size) else 0


def set_title(app: App[Any], title: str) -> None:
    """Gives the terminal (or the tmux pane) a title."""
    _write(app, f"\x1b]2;{clean(title)}\x07")


def save_title(app: App[Any]) -> None:
    _write(app, "\x1b[22;2t")


def restore_title(app: App[Any]) -> None:
    _write(app, "\x1b]2;\x07\x1b[23;2t")


def terminal_is_gone() -> bool:
    """Whether the terminal that the dashboard was started in has hung up."""
    try:
        termios.tcgetattr(sys.__stdin__.fileno() if sys.__stdin__ else 0)
    except (termios.error, ValueError):
        return not os.isatty(0)
    return False


def terminal_size() -> tuple[int, int] | None:
    """Columns and rows of the terminal, as Textual would ask; ``None`` where it does not tell."""
    columns, rows = shutil.get_terminal_size((0, 0))
    return (columns, rows) if columns and rows else None


def is_utf8(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether braille and box characters reach the terminal as such, by the locale's word.

    Python speaks UTF-8 even in the C locale; the terminal, and tmux above all, does not.
    """
    chosen = (environment.get(name) for name in ("LC_ALL", "LC_CTYPE", "LANG"))
    locale = next((each for each in chosen if each), "")
    return not locale or "utf8" in locale.lower().replace("-", "")


def _write(app: App[Any], text: str) -> None:
    if app._driver is not None and not app.is_headless and backlog(app) <= 1:
        app._driver.write(text)


class Terminal:
    """The terminal's settings as they were found, for an end that cannot wait for it."""

    def __init__(self) -> None:
        try:
            self._fd = os.open("/dev/tty", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
            self._attributes = termios.tcgetattr(self._fd)
        except (OSError, termios.error):
            self._fd = -1

    def abandon(self) -> None:
        """Drops what waits to be written and puts the terminal back, without ever blocking."""
        if self._fd < 0:
            return
        try:
            termios.tcflush(self._fd, termios.TCOFLUSH)
            termios.tcsetattr(self._fd, termios.TCSANOW, self._attributes)
            os.write(self._fd, b"\x1b[?1049l\x1b[?25h\x1b[?2004l\x1b[0m\r\n")
        except (OSError, termios.error):
            # It is gone or full: there is nothing left to be done for it.
            return
