"""The queue: every run of the shown experiment in the order in which it was or will be done."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import Screen

from engine.report.progress import progress
from tui import messages, output
from tui.feed import Snapshot
from tui.going_on import Wanted
from tui.kept import word
from tui.requests import Request
from tui.screens import queue_model as model
from tui.screens.live_model import Entry, entries
from tui.screens.live_queue import expected, waiting
from tui.screens.queue_questions import ask_to_drop
from tui.widgets.keys import KeysLine
from tui.widgets.line import Line, heading
from tui.widgets.queue_list import QueueList

if TYPE_CHECKING:
    from tui.app import ResnetTuiApp

PAINT = 0.25
"""Seconds between two looks at the feed's slot."""


class QueueScreen(Screen[None]):
    """On top of Live or Compare; painted once a second, and at once where something was asked."""

    BINDING_GROUP_TITLE = "queue"
    FIRST_KEYS: ClassVar[tuple[str, ...]] = ("move", "drop", "retry", "app.add", "close")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("shift+up", "move(-1)", "move", key_display="Shift+↑ ↓", tooltip="do it earlier"),
        Binding("shift+down", "move(1)", "do it later", show=False),
        Binding("D", "drop", "drop"),
        Binding("R", "retry", "retry", tooltip="go on from its checkpoint, or begin anew"),
        Binding("A", "app.add", "add", tooltip="add a strategy"),
        Binding("u,backspace,escape", "close", "back", key_display="u"),
    ]

    DEFAULT_CSS = """
    QueueScreen {
        QueueList {
            height: 1fr;
            margin: 0 1;
            scrollbar-gutter: stable;
        }
        #queue-detail {
            height: auto;
            max-height: 3;
            text-wrap: wrap;
        }
    }
    """

    def __init__(self) -> None:
        super().__init__(id="queue")
        self._order: tuple[Entry, ...] = ()
        self._painted: tuple[object, ...] = ()

    @property
    def _app(self) -> ResnetTuiApp:
        return cast("ResnetTuiApp", self.app)

    def compose(self) -> ComposeResult:
        yield Line(id="queue-title")
        yield QueueList()
        yield Line(id="queue-detail")
        yield KeysLine()

    def on_mount(self) -> None:
        self.query_one(QueueList).focus()
        self.set_interval(PAINT, self.paint)
        self.call_after_refresh(self.paint)

    def on_resize(self) -> None:
        self._painted = ()
        self.call_after_refresh(self.paint)

    # Painting

    def paint(self) -> None:
        """Shows the newest snapshot, unless the terminal has not taken the last frame yet."""
        snapshot = self._snapshot()
        if snapshot is None or output.backlog(self.app) > 1:
            return
        now, requests = time.time(), self._app.requests
        key = (int(now), requests.pending, snapshot.experiment.plan.runs)
        if key == self._painted:
            return
        self._painted = key
        all_ = entries(snapshot)
        training = next((e.view for e in all_ if e.view and e.view.state == "running"), None)
        running = progress(training, now) if training is not None else None
        self._order = model.ordered(snapshot, all_, requests, now)
        # What was asked for is as good as done, but for the answer.
        left = {each.name for each in waiting(snapshot, all_)}
        ahead = [each for each in self._order if each.name in left]
        told = expected(snapshot, all_, ahead, running, now)
        stopping = frozenset(each.run for each in snapshot.view.runs if each.stop_asked)
        title = self.query_one("#queue-title", Line)
        about = model.about(snapshot, all_, told, requests, now)
        title.show(heading("Queue", title.room, about))
        rows = model.rows(snapshot, self._order, told, requests, stopping, now)
        self.query_one(QueueList).show_rows(rows)
        self.on_run_visited()

    def on_run_visited(self) -> None:
        """Tells why the run under the cursor failed, in full."""
        row = self.query_one(QueueList).row
        reason = row.reason if row is not None else ""
        failed = row is not None and row.state in ("failed", "crashed")
        line = Content.styled(reason, "$error" if failed else "$quiet")
        self.query_one("#queue-detail", Line).show(line, layout=True)
        self.refresh_bindings()

    def _snapshot(self) -> Snapshot | None:
        return self._app.feed.latest() if self._app.feed is not None else None

    @property
    def _entry(self) -> Entry | None:
        row = self.query_one(QueueList).row if self.is_mounted else None
        return next((each for each in self._order if row and each.name == row.run), None)

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action not in ("move", "drop", "retry"):
            return True
        row = self.query_one(QueueList).row if self.is_mounted else None
        snapshot = self._snapshot()
        if row is None or snapshot is None:
            return False
        if action == "retry":
            # What waits for a supervisor that is gone waits for ever.
            left = row.waits and not snapshot.alive
            return not snapshot.gone and (left or row.state in ("failed", "stopped", "crashed"))
        return row.waits and snapshot.alive

    def word_for(self, action: str) -> str:
        """The footer's word for what a key does now, where it is not always the same."""
        row, snapshot = self.query_one(QueueList).row, self._snapshot()
        if action != "retry" or row is None or snapshot is None:
            return ""
        return word(snapshot.kept, row.run)

    def action_move(self, by: int) -> None:
        """One place earlier or later among those that wait; it is asked for at once."""
        snapshot, entry = self._snapshot(), self._entry
        if snapshot is None or entry is None:
            return
        now = time.time()
        names = [each.name for each in waiting(snapshot, entries(snapshot))]
        order = self._app.requests.order(names, now)
        if entry.name not in order:
            return
        place = order.index(entry.name) + by
        if not 0 <= place < len(order):
            return
        asked = Request(action="move", run=entry.name, strategy=entry.title, place=place, asked=now)
        self._app.ask(asked)
        self.paint()

    def action_drop(self) -> None:
        snapshot, entry = self._snapshot(), self._entry
        if snapshot is not None and entry is not None:
            left = waiting(snapshot, entries(snapshot))
            ask_to_drop(self._app, entry, [each for each in left if each.kind == entry.kind])

    def action_retry(self) -> None:
        snapshot, entry = self._snapshot(), self._entry
        if snapshot is not None and entry is not None:
            self._app.ask_to_go_on(
                Wanted(snapshot.experiment.directory, entry.title, (entry.name,))
            )

    def action_close(self) -> None:
        self.dismiss()

    def on_run_wanted(self, message: messages.RunWanted) -> None:
        self.dismiss()
        self._app.call_after_refresh(self._app.show_run, message.run)
