"""Copying text to where the user can paste it."""

from __future__ import annotations

import os
import subprocess

_PATIENCE = 5.0
"""Seconds after which a tmux that does not answer is given up."""


def copied_by_tmux(text: str) -> bool:
    """Hands ``text`` to the tmux around us: its buffer and, as it may, the terminal's clipboard.

    tmux drops by default what programs send for the clipboard (OSC 52). ``False`` outside tmux,
    and where it did not take the text. Blocking: for a thread.
    """
    if not os.environ.get("TMUX"):
        return False
    # tmux before 3.2 does not know -w, which passes it on to the terminal.
    return any(_tmux("load-buffer", *flag, "-", text=text) for flag in (["-w"], []))


def _tmux(*arguments: str, text: str) -> bool:
    try:
        done = subprocess.run(
            ["tmux", *arguments],
            input=text.encode("utf-8", "replace"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_PATIENCE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
