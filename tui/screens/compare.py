"""Compare: one row per run of the shown experiment."""

from __future__ import annotations

from textual.screen import Screen


class CompareScreen(Screen[None]):
    """The table of the shown experiment."""
