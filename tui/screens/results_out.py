"""What leaves the screen of results by class: files for pandas or a spreadsheet."""

from __future__ import annotations

from pathlib import Path

from textual.screen import Screen

from engine.errors import ResnetTuiError
from engine.experiment import Experiment
from engine.journal.views import RunView
from engine.plan.text import clean
from engine.report.classes import of_run
from engine.report.export import write_bytes
from engine.report.exports import classes
from engine.report.exports.csv import encoded
from tui import messages
from tui.background import in_background
from tui.screens.question import Question

_MADE = {"classes": classes.classes_csv, "confusion": classes.confusion_csv}


def ask_which(screen: Screen[None], into: Experiment, name: str, run: RunView) -> None:
    """Which of the two tables of a run to write into its experiment's directory."""

    def answered(answer: str | None) -> None:
        if answer in _MADE:
            write(screen, into, name, run, str(answer))

    question = Question(
        f"Export the classes of {clean(run.run)}",
        f"into {clean(str(into.directory))}",
        [
            ("c", "classes", "CSV: a row for each class"),
            ("m", "confusion", "CSV: a row for each pair of what was taken for what"),
        ],
        default="classes",
    )
    screen.app.push_screen(question, answered)


def write(
    screen: Screen[None],
    into: Experiment,
    name: str,
    run: RunView,
    which: str,
    over: bool = False,
) -> None:
    """Writes ``classes-RUN.csv`` or ``confusion-RUN.csv``; never over a file unless ``over``.

    ``name``: of the experiment that the run is of. Ends in ``Exported`` or ``ExportRefused``.
    """
    path = _path(into, which, run)

    def work() -> messages.Exported | messages.ExportRefused:
        report = of_run(run)
        if path.exists() and not over:
            return messages.ExportRefused(path, "", exists=True)
        told = [(name, run, report)] if report is not None else []
        try:
            return messages.Exported(write_bytes(path, encoded(_MADE[which](told))))
        except ResnetTuiError as error:
            return messages.ExportRefused(path, str(error))

    in_background(screen, work, "export")


def ask_to_overwrite(
    screen: Screen[None],
    into: Experiment,
    name: str,
    run: RunView,
    refused: messages.ExportRefused,
) -> None:
    def answered(answer: str | None) -> None:
        if answer == "overwrite":
            which = next(each for each in _MADE if _path(into, each, run) == refused.path)
            write(screen, into, name, run, which, over=True)

    question = Question(
        "Write over the older table?",
        clean(str(refused.path)),
        [("o", "overwrite", "write over it"), ("c", "cancel", "keep it")],
        default="cancel",
    )
    screen.app.push_screen(question, answered)


def _path(into: Experiment, which: str, run: RunView) -> Path:
    return into.directory / f"{which}-{run.run}.csv"
