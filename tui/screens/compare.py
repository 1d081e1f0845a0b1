"""Compare: one row per run of the shown experiment."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, cast

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.screen import Screen
from textual.widgets import DataTable

from engine.errors import ResnetTuiError
from engine.plan.text import clean
from engine.report.export import to_csv, write_csv
from engine.report.rows import Row, by_kind, reasons, remarks, rows
from tui import messages, output
from tui.background import in_background
from tui.feed import Snapshot
from tui.screens.compare_columns import Column, columns, widths
from tui.screens.live_model import entries, state_of
from tui.screens.question import Question
from tui.widgets.keys import KeysLine
from tui.widgets.line import Line, heading

if TYPE_CHECKING:
    from tui.app import ResnetTuiApp

EVERY = 2.0
"""Seconds between two looks: a table is costly to paint."""


class CompareScreen(Screen[None]):
    """The table of the shown experiment. Enter looks at a run in Live."""

    DEFAULT_CSS = """
    CompareScreen #compare-remarks {
        height: auto;
        max-height: 5;
        text-wrap: wrap;
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "look", "look at the run", key_display="Enter"),
        Binding("e", "export", "export"),
        Binding("y", "copy", "copy"),
        Binding("backspace,escape", "app.show('live')", "back", key_display="Backspace"),
        *(
            Binding(str(number), f"pick({number})", f"strategy {number}", show=False)
            for number in range(1, 10)
        ),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._shown: tuple[object, ...] = ()
        self._runs: tuple[str, ...] = ()

    def compose(self) -> ComposeResult:
        yield Line(id="compare-title")
        table: DataTable[Text] = DataTable(cursor_type="row", zebra_stripes=False)
        table.can_focus = True
        yield table
        yield Line(id="compare-remarks")
        yield Line(id="compare-reason")
        yield KeysLine()

    def on_mount(self) -> None:
        self.set_interval(EVERY, self.paint)
        self.query_one(DataTable).focus()

    def on_screen_resume(self) -> None:
        self._shown = ()
        self.call_after_refresh(self.paint)

    def on_resize(self) -> None:
        self._shown = ()
        self.call_after_refresh(self.paint)

    def paint(self) -> None:
        """Writes the table anew where a figure in it changed; the cursor stays on its run."""
        snapshot = self._snapshot()
        if snapshot is None or not self.is_current or output.backlog(self.app) > 1:
            return
        title = self.query_one("#compare-title", Line)
        about = f"{clean(snapshot.experiment.name)} · {time.strftime('%H:%M')}"
        title.show(heading("Compare", title.room, about))
        found = _rows(snapshot)
        fitting = columns(found, self.size.width - 2)
        cells = tuple(tuple(each.cell(row) for each in fitting) for row in found)
        if (cells, fitting) == self._shown:
            return
        self._shown = (cells, fitting)
        self._fill(cells, fitting)
        self._runs = tuple(row.name for row in found)
        self.refresh_bindings()
        remarked = [Content.styled(clean(each), "$quiet") for each in remarks(found)]
        self.query_one("#compare-remarks", Line).show(Content("\n").join(remarked), layout=True)
        bad = any(row.reason and row.state != "done" for row in found)
        self.query_one("#compare-reason", Line).show(
            Content.styled(clean(" · ".join(reasons(found))), "$error" if bad else "$quiet")
        )

    def _fill(self, cells: Sequence[Sequence[str]], fitting: Sequence[Column]) -> None:
        table = cast("DataTable[Text]", self.query_one(DataTable))
        at = table.cursor_row
        table.clear(columns=True)
        for column, width in zip(fitting, widths(cells, fitting), strict=True):
            title = Text(column.title, justify="left" if column.left else "right")
            table.add_column(title, width=width)
        for row in cells:
            table.add_row(
                *(
                    Text(cell, justify="left" if column.left else "right")
                    for cell, column in zip(row, fitting, strict=True)
                )
            )
        table.move_cursor(row=min(at, len(cells) - 1), animate=False)

    def action_look(self) -> None:
        self._look_at(self.query_one(DataTable).cursor_row)

    def action_pick(self, number: int) -> None:
        self._look_at(number - 1)

    def on_data_table_row_selected(self) -> None:
        # The table takes Enter for itself and says so with this message.
        self.action_look()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return bool(self._runs) if action in ("export", "copy", "look") else True

    def action_copy(self) -> None:
        snapshot = self._snapshot()
        if snapshot is not None:
            cast("ResnetTuiApp", self.app).copy(to_csv(_rows(snapshot)), "the table as CSV")

    def action_export(self, overwrite: bool = False) -> None:
        """Writes the table beside the journals; never over a file without a question."""
        snapshot = self._snapshot()
        if snapshot is None:
            return
        path = snapshot.experiment.directory / "compare.csv"

        def work() -> Message:
            if path.exists() and not overwrite:
                return messages.ExportRefused(path, "", exists=True)
            try:
                return messages.Exported(write_csv(_rows(snapshot), path))
            except ResnetTuiError as error:
                return messages.ExportRefused(path, str(error))

        in_background(self, work, "export")

    def on_exported(self, message: messages.Exported) -> None:
        cast("ResnetTuiApp", self.app).tell(f"written: {clean(str(message.path))}")

    def on_export_refused(self, message: messages.ExportRefused) -> None:
        if not message.exists:
            cast("ResnetTuiApp", self.app).tell(message.sentence, severity="error")
            return

        def answered(answer: str | None) -> None:
            if answer == "overwrite":
                self.action_export(overwrite=True)

        self.app.push_screen(
            Question(
                "Write over the older table?",
                clean(str(message.path)),
                [("o", "overwrite", "write over it"), ("c", "cancel", "keep it")],
                default="cancel",
            ),
            answered,
        )

    def _snapshot(self) -> Snapshot | None:
        feed = cast("ResnetTuiApp", self.app).feed
        return feed.latest() if feed is not None else None

    def _look_at(self, place: int) -> None:
        if 0 <= place < len(self._runs):
            cast("ResnetTuiApp", self.app).show_run(self._runs[place])


def _rows(snapshot: Snapshot) -> tuple[Row, ...]:
    """The table with what the lock says: a run whose supervisor is gone does not run.

    Rows of one kind of device stand together.
    """
    states = {
        each.name: state_of(each, snapshot, each.view is not None and bool(each.view.stop_asked))
        for each in entries(snapshot)
    }
    found = rows(snapshot.view)
    told = [replace(row, state=states.get(row.name, row.state)) for row in found]
    return tuple(row for part in by_kind(told) for row in part)
