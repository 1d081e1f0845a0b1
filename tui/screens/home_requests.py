"""What Home asks of an experiment: stop it, delete it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from textual.screen import Screen

from engine import experiment
from engine.errors import ResnetTuiError
from engine.plan.text import clean
from tui.background import in_background
from tui.experiments import ExperimentRow
from tui.messages import RequestAnswered


def ask_to_stop(screen: Screen[None], row: ExperimentRow) -> None:
    """Gently or at once, after a question."""
    from engine.run import control

    ask(
        screen,
        "Stop this experiment?",
        row.name,
        [
            ("s", "stop", "stop it: finish the step, save a checkpoint"),
            ("k", "kill", "end it at once; what came after the last checkpoint is lost"),
            ("c", "cancel", "let it train"),
        ],
        "cancel",
        lambda answer: _request(
            screen,
            row.directory,
            lambda it: control.stop(it, firmly=answer == "kill"),
            f"{row.name} was asked to stop.",
        ),
    )


def ask_to_delete(screen: Screen[None], row: ExperimentRow) -> None:
    """With everything in it, after a question."""
    ask(
        screen,
        "Delete this experiment?",
        f"{clean(str(row.directory))}\nIts curves and checkpoints cannot be brought back.",
        [("d", "delete", "delete it"), ("c", "cancel", "keep it")],
        "cancel",
        lambda _: _request(screen, row.directory, experiment.delete, f"{row.name} is deleted."),
    )


def ask(
    screen: Screen[None],
    title: str,
    text: str,
    choices: list[tuple[str, str, str]],
    default: str,
    then: Callable[[str], None],
) -> None:
    """Asks, and does ``then`` with the answer unless it is to leave things alone."""

    from tui.screens.question import Question

    def answered(answer: str | None) -> None:
        if answer and answer != "cancel":
            then(answer)

    screen.app.push_screen(Question(title, text, choices, default), answered)


def _request(
    screen: Screen[None],
    directory: Path,
    what: Callable[[experiment.Experiment], object],
    told: str,
) -> None:
    """Does ``what`` to an experiment in the background: discs and supervisors take a while.

    Ends in ``RequestAnswered``.
    """

    def work() -> RequestAnswered:
        try:
            what(experiment.open_directory(directory))
        except ResnetTuiError as error:
            return RequestAnswered(str(error), failed=True)
        return RequestAnswered(told)

    in_background(screen, work, "request")
