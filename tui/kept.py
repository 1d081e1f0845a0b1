"""Which runs have a checkpoint to go on from. It is looked for, not read: that takes seconds."""

from __future__ import annotations

import os
from collections.abc import Container
from pathlib import Path

from engine.journal import layout
from engine.journal.views import ExperimentView

GO_ON, RETRY = "go on", "retry"

_OVER = ("failed", "stopped")


class Kept:
    """Of the runs of an experiment that could be gone on with: those that saved something.

    The disk is asked once for each end of a run: a list of files may take long on a network.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._known: dict[str, tuple[object, bool]] = {}

    def look(self, view: ExperimentView, *, alive: bool) -> frozenset[str]:
        """Their names. ``alive``: a supervisor lives, so what waits or runs is none of them."""
        found = set()
        for run in view.runs:
            if run.state in _OVER or (not alive and run.state != "done"):
                now = (run.state, run.attempt, len(run.checkpoints), alive)
                before, there = self._known.get(run.run, (None, False))
                if now != before:
                    there = has_checkpoint(self._directory / run.run)
                    self._known[run.run] = (now, there)
                if there:
                    found.add(run.run)
        return frozenset(found)


def has_checkpoint(run: Path) -> bool:
    """Whether there is one in the directory of a run; what cannot be read holds none."""
    try:
        with os.scandir(run / layout.CHECKPOINTS) as found:
            return any(each.name.endswith(".pt") for each in found)
    except OSError:
        return False


def word(kept: Container[str], *runs: str) -> str:
    """What ``R`` does with these runs, in the footer's words; it asks before it does."""
    return GO_ON if any(run in kept for run in runs) else RETRY
