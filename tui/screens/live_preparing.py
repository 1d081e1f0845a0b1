"""What the live view says of a run that waits: what is done before it. Pure."""

from __future__ import annotations

from textual.content import Content

from engine.journal.views import ExperimentView, SearchView
from tui.kept import word
from tui.screens.live_model import Look
from tui.screens.live_queue import waiting
from tui.widgets.line import heading
from tui.widgets.preparing import preparing


def search_at_hand(view: ExperimentView) -> SearchView | None:
    """The search for a batch size that lasts."""
    return next((each for each in reversed(view.searches) if each.found is None), None)


def before_it(look: Look, width: int, height: int) -> list[Content]:
    """What the supervisor prepares now, or how many runs come first."""
    view = look.snapshot.view
    if not look.snapshot.alive:
        # Whatever it was preparing when it ended.
        words = "It has not begun, and nothing of the experiment runs any more."
        key = "" if look.snapshot.gone else f"R {word(look.snapshot.kept, look.shown.name)}"
        return [heading("Queued", width, key), Content.styled(words, "$quiet")]
    if view.preparing is not None:
        return preparing(view.preparing, search_at_hand(view), look.now, width, height)
    ahead = [each.name for each in waiting(look.snapshot, look.entries)]
    training = any(each.view and each.view.state == "running" for each in look.entries)
    before = (ahead.index(look.shown.name) if look.shown.name in ahead else 0) + training
    if before == 0:
        words = "It is the next to begin."
    elif before == 1:
        words = "It begins when the one before it has ended."
    else:
        words = f"It begins when the {before} before it have ended."
    return [heading("Queued", width), Content.styled(words, "$quiet")]
