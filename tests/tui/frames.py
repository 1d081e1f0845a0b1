"""What is on the screen of an application under test, as text."""

from __future__ import annotations

from typing import Any

from textual.app import App


def frame(app: App[Any]) -> list[str]:
    """The rows of the screen, without their colours and trailing blanks."""
    strips = app.screen._compositor.render_strips()
    return ["".join(segment.text for segment in strip).rstrip() for strip in strips]
