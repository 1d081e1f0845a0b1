"""The ways out of the dashboard: a question first, or at once where nobody can answer."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tui.output import Terminal
from tui.start import End

if TYPE_CHECKING:
    from tui.app import ResnetTuiApp

EXIT_INTERRUPTED = 130


def ask_before_leaving(app: ResnetTuiApp, running: list[Path]) -> None:
    """Something trains: leave it running, stop it, or stay."""
    from engine.errors import ResnetTuiError
    from engine.plan.text import clean
    from tui import session
    from tui.screens.question import Question

    names = ", ".join(clean(each.name) for each in running)
    are, needs = ("are", "They do not need") if len(running) > 1 else ("is", "It does not need")

    def answered(choice: str | None) -> None:
        if choice == "leave":
            app.exit(End(0, session.farewell(running)))
        elif choice == "stop":
            try:
                session.stop_all(running)
            except ResnetTuiError as error:
                app.tell(str(error), severity="error")
            else:
                app.exit(End(0, f"{names} ends after its step and a checkpoint."))

    question = Question(
        "Something is training",
        "\n".join((f"{names} {are} running. {needs} this window.", *map(_sentence, app.risks))),
        [
            ("l", "leave", "leave it running and close the dashboard"),
            ("s", "stop", "stop it: finish the step, save a checkpoint"),
            ("c", "cancel", "stay here"),
        ],
        default="leave",
    )
    app.push_screen(question, answered)


def _sentence(risk: str) -> str:
    return f"But {risk}."


def end_by_force_after(seconds: float, terminal: Terminal) -> None:
    """A terminal that does not read would hold the way out for ever: Textual waits for it."""

    def work() -> None:
        time.sleep(seconds)
        terminal.abandon()
        os._exit(EXIT_INTERRUPTED)

    threading.Thread(target=work, name="end", daemon=True).start()
