"""What the command line tells the dashboard: where to begin, and with what."""

from __future__ import annotations

import gc
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """How the dashboard begins.

    With ``experiment`` it attaches to that one; with ``dataset`` it opens Setup with that folder
    chosen; with neither it offers what there is.
    """

    experiments_directory: Path
    dataset: Path | None = None
    given: dict[str, Any] = field(default_factory=dict)
    """Settings given as flags, by name."""
    strategies: tuple[str, ...] = ()
    """Names of the strategies to tick; empty: the default."""
    experiment: Path | None = None
    mouse: bool = False


@dataclass(frozen=True, slots=True)
class End:
    """How it ended: the exit code, and lines to print once the terminal is restored."""

    code: int = 0
    message: str = ""


def open_dashboard(start: Start) -> int:
    """Shows the dashboard until the user leaves; the exit code.

    Raises ``ConfigFileError`` where the user's own files cannot be used: a screen could not.
    """
    from engine.plan.strategies import known_strategies

    known_strategies()
    # Collecting while ten thousand objects are only being made costs an eighth of the way to the
    # first paint; the application turns it on again after that.
    gc.disable()
    from tui.app import run_dashboard

    return run_dashboard(start)
