"""Where this user's small files lie: what they wrote, state that is kept, caches to be lost."""

from __future__ import annotations

import os
from pathlib import Path


def config() -> Path:
    """``$XDG_CONFIG_HOME/resnet-tui``, else under ``~/.config``."""
    return _place("XDG_CONFIG_HOME", ".config")


def state() -> Path:
    """``$XDG_STATE_HOME/resnet-tui``, else under ``~/.local/state``."""
    return _place("XDG_STATE_HOME", ".local/state")


def cache() -> Path:
    """``$XDG_CACHE_HOME/resnet-tui``, else under ``~/.cache``."""
    return _place("XDG_CACHE_HOME", ".cache")


def _place(variable: str, usual: str) -> Path:
    chosen = os.environ.get(variable)
    if chosen:
        return Path(chosen) / "resnet-tui"
    home = os.path.expanduser("~")  # noqa: PTH111 (Path.home fails where nobody has a home)
    # A user without a home (containers) has no such place: every attempt at it is an OSError.
    return Path(home if home != "~" else os.devnull) / usual / "resnet-tui"
