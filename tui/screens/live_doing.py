"""What a run does now, in a word or two: a phase that lasts, or nothing at all. Pure."""

from __future__ import annotations

from engine.journal.views import RunView
from engine.plan.text import clean
from engine.report.progress import Progress
from tui.widgets import format as show

SECONDS = 10.0
STEPS = 5.0
"""So long without a step, in seconds and in steps of the recent length, is worth a word."""


def phase(run: RunView | None) -> str:
    """The phase that lasts; empty while it trains."""
    if run is None:
        return ""
    if run.phases and run.phases[-1].seconds is None:
        return clean(run.phases[-1].name)
    if not run.history.steps and 0 < run.ranks_ready < run.world_size:
        return f"waiting for the other ranks ({run.ranks_ready} of {run.world_size} ready)"
    return ""


def doing(run: RunView | None, recent: Progress | None, now: float) -> str:
    """The phase, with its seconds where it lasts, or ``no step for 47 s``: figures are then of
    steps long past.

    Of several ranks the slowest counts: the others wait for it.
    """
    segments = run.history.segments.get(None, ()) if run is not None else ()
    if (lasts := phase(run)) or not segments:
        return f"{lasts}{_since(run, now)}"
    since = now - segments[-1].track.ended
    usual = recent.step_seconds if recent is not None else None
    if since < max(SECONDS, STEPS * (usual or 0.0)):
        return ""
    return f"no step for {show.seconds(since)}"


def _since(run: RunView | None, now: float) -> str:
    """``, 47 s`` of a phase that lasts: one that hangs looks like any other at first."""
    if run is None or not run.phases or run.phases[-1].seconds is not None:
        return ""
    since = now - run.phases[-1].started
    return f", {show.seconds(since)}" if since >= SECONDS else ""
