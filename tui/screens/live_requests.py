"""What the live view asks of an experiment: to stop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from textual.message import Message
from textual.screen import Screen

from engine.errors import ResnetTuiError
from engine.experiment import Experiment
from tui.background import in_background
from tui.messages import RequestRefused, RequestTaken
from tui.screens.live_model import Entry
from tui.screens.question import Question


@dataclass(frozen=True, slots=True)
class Stop:
    """What could be stopped now. ``asked``: it was told to already, so this is about killing."""

    experiment: Experiment
    entry: Entry
    several: bool
    asked: bool


def ask_to_stop(screen: Screen[None], stop: Stop) -> None:
    """Asks which: this run, or all of the experiment; then leaves the request."""
    name = stop.entry.title

    def answered(choice: str | None) -> None:
        if choice in ("run", "all", "kill"):
            _send(screen, stop, choice)

    if stop.asked:
        question = Question(
            "Kill it?",
            "It was asked to stop and is saving its work. Killed now, the steps since the last "
            "checkpoint are lost.",
            [("k", "kill", "kill it now"), ("c", "cancel", "let it finish")],
            default="cancel",
        )
    elif stop.several:
        question = Question(
            "Stop what?",
            "The step is finished and a checkpoint saved.",
            [
                ("t", "run", f"this run ({name}); the others go on"),
                ("e", "all", "the whole experiment"),
                ("c", "cancel", "nothing"),
            ],
            default="cancel",
        )
    else:
        question = Question(
            "Stop training?",
            "The step is finished and a checkpoint saved.",
            [("s", "all", f"stop {name}"), ("c", "cancel", "let it train")],
            default="cancel",
        )
    screen.app.push_screen(question, answered)


def _send(screen: Screen[None], stop: Stop, choice: str) -> None:
    in_background(screen, _work(lambda: _stop(stop, choice)), "stop")


def _stop(stop: Stop, choice: str) -> Message:
    from engine.run import control

    if choice == "run":
        control.stop_run(stop.experiment, stop.entry.name)
        return RequestTaken("stop", stop.entry.name)
    control.stop(stop.experiment, firmly=choice == "kill")
    return RequestTaken("kill" if choice == "kill" else "stop", "")


def _work(request: Callable[[], Message]) -> Callable[[], Message]:
    def work() -> Message:
        try:
            return request()
        except ResnetTuiError as error:
            return RequestRefused(str(error))

    return work
