"""What leaves the comparison: a command or the table on the clipboard, and files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.screen import Screen

from engine.errors import ResnetTuiError
from engine.plan.text import clean
from engine.report.comparison import Comparison, Row
from tui import messages
from tui.background import in_background
from tui.compared import Look, run_to_look_at
from tui.screens.question import Question

if TYPE_CHECKING:
    from tui.app import ResnetTuiApp

Known = tuple[Look, Comparison]
"""What a table was made of, and the table."""

FORMATS = (
    ("c", "csv", "CSV: every column, raw numbers, for pandas or a spreadsheet"),
    ("m", "md", "Markdown, for an issue or a README"),
    ("j", "json", "JSON: every repeat as well"),
    ("h", "html", "HTML: a page with charts that needs nothing else"),
)


def ask_what_to_copy(app: ResnetTuiApp, look: Look, comparison: Comparison, row: Row) -> None:
    """The command that repeats the row, or the table."""

    def answered(answer: str | None) -> None:
        if answer == "command":
            copy_command(app, look, row)
        elif answer == "csv":
            from engine.report.exports.csv import to_csv

            app.copy(to_csv(comparison), "the table as CSV")
        elif answer == "md":
            from engine.report.exports.markdown import to_markdown

            app.copy(to_markdown(comparison), "the table as Markdown")

    question = Question(
        "Copy what?",
        "",
        [
            ("y", "command", f"the command that repeats {clean(row.figures.name)}"),
            ("c", "csv", "the table as CSV"),
            ("m", "md", "the table as Markdown"),
        ],
        default="command",
    )
    app.push_screen(question, answered)


def copy_command(app: ResnetTuiApp, look: Look, row: Row) -> None:
    """The line that repeats a run of the row, on the clipboard."""
    plan = look.plan(run_to_look_at(row))
    if plan is None:
        app.tell("its plan is not known", severity="error")
        return

    def work() -> messages.Copied:
        from engine.report.repeat_command import repeat_command
        from tui.clipboard import copied_by_tmux

        # What goes without saying stands in files of the user's: for a thread.
        line = repeat_command(plan)
        return messages.Copied(line, clean(line), by_tmux=copied_by_tmux(line))

    in_background(app, work, "command")


def ask_format(screen: Screen[None], look: Look, comparison: Comparison) -> None:
    """Which file to write beside the journals."""

    def answered(answer: str | None) -> None:
        if answer in {name for _, name, _ in FORMATS}:
            write(screen, look, comparison, str(answer))

    directory = look.snapshot.experiment.directory
    question = Question("Export", f"into {clean(str(directory))}", FORMATS, default="csv")
    screen.app.push_screen(question, answered)


def write(
    screen: Screen[None], look: Look, comparison: Comparison, format: str, over: bool = False
) -> None:
    """Writes ``compare.FORMAT``; never over a file unless ``over``.

    Ends in ``Exported`` or ``ExportRefused``.
    """
    path = look.snapshot.experiment.directory / f"compare.{format}"

    def work() -> messages.Exported | messages.ExportRefused:
        from engine.report import export
        from engine.report.exports.courses import courses

        if path.exists() and not over:
            return messages.ExportRefused(path, "", exists=True)
        try:
            known = courses(look.sources)
            return messages.Exported(export.write(comparison, path, format, known))
        except ResnetTuiError as error:
            return messages.ExportRefused(path, str(error))

    in_background(screen, work, "export")


def ask_to_overwrite(
    screen: Screen[None], look: Look, comparison: Comparison, refused: messages.ExportRefused
) -> None:
    def answered(answer: str | None) -> None:
        if answer == "overwrite":
            write(screen, look, comparison, refused.path.suffix[1:], over=True)

    question = Question(
        "Write over the older table?",
        clean(str(refused.path)),
        [("o", "overwrite", "write over it"), ("c", "cancel", "keep it")],
        default="cancel",
    )
    screen.app.push_screen(question, answered)
