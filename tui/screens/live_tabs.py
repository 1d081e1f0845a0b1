"""The tabs of the live view: a strategy each, or a run each where they are repeated. Pure."""

from __future__ import annotations

from tui.screens.live_model import Entry, Look, state_of
from tui.widgets.summary import Tab


def tabs(look: Look) -> list[Tab]:
    """One tab per run of the plan; which repeat it is stands on it where there are several."""
    return [
        Tab(
            number=each.number,
            strategy=each.strategy,
            state=state_of(each, look.snapshot, each.name in look.stopping),
            top1=each.view.validations[-1].top1 if each.view and each.view.validations else None,
            shown=each is look.shown,
            overlaid=look.overlay
            and look.is_beside(each)
            and each.view is not None
            and each.view.history.steps > 0,
            which=_which(each),
        )
        for each in look.entries
    ]


def _which(entry: Entry) -> str:
    """``2/3``, ``best 2/3``, ``best``."""
    best = "best" if entry.plan.view == "best" else ""
    repeat = f"{entry.plan.repeat + 1}/{entry.repeats}" if entry.repeats > 1 else ""
    return " ".join(filter(None, (best, repeat)))
