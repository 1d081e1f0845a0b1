"""Toasts, which wait while something is asked: a question is read before it is answered."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from textual.app import App
from textual.screen import ModalScreen, Screen

from tui.start import End

_WORTH = 1.0
"""Seconds: a toast that was shown all but so long has been seen."""


@dataclass(slots=True)
class _Toast:
    text: str
    severity: str
    left: float
    """Seconds that it is still to be shown, from ``since`` on."""
    since: float


class Telling(App[End], inherit_bindings=False):
    """Tells in toasts what happened; those that a question hides come back after it."""

    def __init__(self) -> None:
        super().__init__()
        self._shown: list[_Toast] = []
        self._waiting: list[_Toast] = []

    def on_mount(self) -> None:
        self.screen_change_signal.subscribe(self, self._screen_changed, immediate=True)

    def tell(self, text: str, *, severity: str = "information") -> None:
        """A toast. ``text`` is shown as it is, never read as markup."""
        toast = _Toast(text, severity, self.NOTIFICATION_TIMEOUT, time.monotonic())
        if self._is_asking:
            self._waiting.append(toast)
        else:
            self._show(toast)

    def _show(self, toast: _Toast) -> None:
        toast.since = time.monotonic()
        self._shown = [*_left(self._shown), toast]
        self.notify(
            toast.text,
            severity=toast.severity,  # type: ignore[arg-type]
            timeout=toast.left,
            markup=False,
        )

    def _screen_changed(self, _screen: Screen[Any]) -> None:
        if self._is_asking:
            self._waiting = [*_left(self._shown), *self._waiting]
            self._shown = []
            self.clear_notifications()
            # Those of the screen below are seen through the question's edges.
            for each in self.screen_stack:
                each.query("ToastHolder").remove()
        else:
            waiting, self._waiting = self._waiting, []
            for toast in waiting:
                self._show(toast)

    @property
    def _is_asking(self) -> bool:
        return any(isinstance(each, ModalScreen) for each in self.screen_stack[-1:])


def _left(toasts: list[_Toast]) -> list[_Toast]:
    """Those that were not shown long enough, each with what is left of its time."""
    now = time.monotonic()
    for each in toasts:
        each.left -= now - each.since
        each.since = now
    return [each for each in toasts if each.left >= _WORTH]
