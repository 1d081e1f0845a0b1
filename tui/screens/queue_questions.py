"""What is asked before a run that waits is dropped."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tui.requests import Request
from tui.screens.live_model import Entry
from tui.screens.question import Question

if TYPE_CHECKING:
    from tui.app import ResnetTuiApp


def ask_to_drop(app: ResnetTuiApp, entry: Entry, like: Sequence[Entry]) -> None:
    """Drops a run that waits, or all that wait of its strategy (``like``, itself included)."""

    def answered(choice: str | None) -> None:
        chosen = {"run": [entry], "all": list(like)}.get(choice or "", [])
        for each in chosen:
            app.ask(Request(action="drop", run=each.name, strategy=each.title, asked=time.time()))

    choices = [("d", "run", "drop it" if len(like) < 2 else f"drop {entry.repeat} alone")]
    if len(like) > 1:
        choices.append(("a", "all", f"drop all {len(like)} that wait of {entry.strategy}"))
    app.push_screen(
        Question(
            f"Drop {entry.strategy}?",
            "It is taken out of the queue and not trained; what is done of it stays. R queues it "
            "again.",
            [*choices, ("c", "cancel", "keep it")],
            default="cancel",
        ),
        answered,
    )
