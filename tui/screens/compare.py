"""Compare: one row per run of the shown experiment."""

from __future__ import annotations

import time
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
from engine.report.compare import Row, rows
from engine.report.export import to_csv, write_csv
from tui import messages, output
from tui.background import in_background
from tui.feed import Snapshot
from tui.screens.live_model import entries, state_of
from tui.screens.question import Question
from tui.widgets import format as show
from tui.widgets.keys import KeysLine
from tui.widgets.line import Line, heading

if TYPE_CHECKING:
    from tui.app import ResnetTuiApp

EVERY = 2.0
"""Seconds between two looks: a table is costly to paint."""

_COLUMNS: tuple[tuple[str, int], ...] = (
    ("strategy", 10),
    ("state", 8),
    ("epochs", 6),
    ("images/s", 9),
    ("val top-1", 9),
    ("best", 8),
    ("val loss", 8),
    ("waiting", 8),
    ("step", 8),
    ("memory", 9),
    ("time", 12),
)
"""Heading and width; what does not fit is left out from the right."""


class CompareScreen(Screen[None]):
    """The table of the shown experiment. Enter looks at a run in Live."""

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
        cells = tuple(_cells(row) for row in found)
        table = cast("DataTable[Text]", self.query_one(DataTable))
        fitting = _fitting(self.size.width - 2)
        if (cells, fitting) == self._shown:
            return
        self._shown = (cells, fitting)
        at = table.cursor_row
        table.clear(columns=True)
        for heading_, width in fitting:
            justify = "left" if heading_ in ("strategy", "state") else "right"
            table.add_column(Text(heading_, justify=justify), width=width)  # type: ignore[arg-type]
        for row in cells:
            table.add_row(*row[: len(fitting)])
        table.move_cursor(row=min(at, len(cells) - 1), animate=False)
        self._runs = tuple(row.name for row in found)
        self.refresh_bindings()
        reasons = [f"{row.strategy}: {row.reason}" for row in found if row.reason]
        self.query_one("#compare-reason", Line).show(
            Content.styled(clean(" · ".join(reasons)), "$error")
        )

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
    """The table with what the lock says: a run whose supervisor is gone does not run."""
    states = {
        each.name: state_of(each, snapshot, each.view is not None and bool(each.view.stop_asked))
        for each in entries(snapshot)
    }
    return tuple(replace(row, state=states.get(row.name, row.state)) for row in rows(snapshot.view))


def _cells(row: Row) -> tuple[Text, ...]:
    values = (
        show.count(row.epochs),
        show.rate(row.images_per_second),
        show.percent(row.top1),
        show.percent(row.best_top1),
        show.plain(row.val_loss),
        show.percent(row.wait_share),
        show.seconds(row.batch_seconds),
        show.gib(row.peak_memory),
        show.seconds(row.train_seconds),
    )
    first = (Text(clean(row.strategy)), Text(row.state))
    return (*first, *(Text(each, justify="right") for each in values))


def _fitting(room: int) -> tuple[tuple[str, int], ...]:
    """The columns that fit; each has a cell of padding on either side."""
    chosen = []
    for name, width in _COLUMNS:
        room -= width + 2
        if room < 0:
            break
        chosen.append((name, width))
    return tuple(chosen)
