"""Home: the experiments on disk; open one, stop it, try it again, delete it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Input, Static

from engine.plan.text import clean
from tui import messages, output
from tui.background import in_background
from tui.experiments import OVER, ExperimentRow, rows
from tui.going_on import Wanted
from tui.kept import GO_ON
from tui.screens.home_requests import ask, ask_to_delete, ask_to_stop
from tui.widgets.experiment_list import ExperimentList
from tui.widgets.filter_field import FilterField
from tui.widgets.keys import KeysLine

if TYPE_CHECKING:
    from tui.app import ResnetTuiApp

_EVERY = 2.0
"""Seconds between two looks at the disk while this screen is shown."""


class HomeScreen(Screen[None]):
    """A list that is read again every two seconds while it is shown, and repainted on change."""

    BINDING_GROUP_TITLE = "home"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "filter", key_display="/"),
        Binding("K", "stop", "stop"),
        Binding("R", "retry", "retry", tooltip="go on from its checkpoint, or begin anew"),
        Binding("D", "delete", "delete"),
        Binding(
            "j", "judge", "judge", tooltip="judge an image: what its best network takes it for"
        ),
        Binding("y", "copy", "copy path"),
        Binding("backspace,escape", "back", "back", key_display="Backspace"),
    ]

    DEFAULT_CSS = """
    HomeScreen {
        layout: vertical;

        #title {
            height: 1;
            padding: 0 1;
            background: $panel;
        }
        ExperimentList {
            height: 1fr;
            padding: 0 1;
        }
        #empty {
            height: 1fr;
            padding: 1 2;
            color: $quiet;
        }
        #detail {
            height: 1;
            padding: 0 1;
            color: $quiet;
            text-wrap: nowrap;
            text-overflow: ellipsis;
        }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._rows: tuple[ExperimentRow, ...] | None = None
        self._listing = False

    @property
    def dashboard(self) -> ResnetTuiApp:
        return cast("ResnetTuiApp", self.app)

    def compose(self) -> ComposeResult:
        yield Static(id="title")
        listed = ExperimentList()
        yield FilterField(listed)
        yield listed
        yield Static("reading the experiments …", id="empty")
        yield Static(id="detail")
        yield KeysLine()

    def on_mount(self) -> None:
        self.query_one(ExperimentList).display = False
        self.set_interval(_EVERY, self._list)
        self._list()
        self._tell()

    def on_screen_resume(self, _event: events.ScreenResume) -> None:
        self._list()

    # The list

    def _list(self) -> None:
        if self._listing or not self.is_current or output.backlog(self.app) > 1:
            return
        self._listing = True
        parent = self.dashboard.start.experiments_directory
        in_background(self, lambda: messages.ExperimentsListed(rows(parent)), "experiments")

    def on_experiments_listed(self, message: messages.ExperimentsListed) -> None:
        self._listing = False
        first = self._rows is None
        self._rows = message.rows
        listed = self.query_one(ExperimentList)
        listed.show_rows(message.rows)
        self._tell()
        self.refresh_bindings()
        if first:
            listed.focus()
            self._offer()

    def on_input_changed(self, message: Input.Changed) -> None:
        message.stop()
        self.query_one(ExperimentList).filter(message.value)
        self._tell()

    def on_experiment_visited(self) -> None:
        self._tell()
        self.refresh_bindings()

    def _offer(self) -> None:
        """Called without a dataset: what trains is shown first; where there is nothing, Setup."""
        start = self.dashboard.start
        if start.dataset is not None or start.experiment is not None or not self.is_current:
            return
        running = [row for row in self._rows or () if row.running]
        if not self._rows:
            self.app.switch_mode("setup")
        elif len(running) == 1:
            ask(
                self,
                "Training now",
                f"{running[0].name} is {running[0].state}.",
                [("v", "show", "show it"), ("h", "cancel", "stay with the list")],
                "show",
                lambda _: self.dashboard.show_experiment(running[0].directory),
            )

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        of_a_row = ("stop", "retry", "delete", "copy", "back", "judge")
        if not self.is_mounted or action not in of_a_row:
            return True
        row = self.query_one(ExperimentList).row
        if action == "back":
            return bool(self.query_one(FilterField).value) or self.dashboard.feed is not None
        if row is None:
            return False
        if action in ("copy", "judge"):
            return True
        if action == "stop":
            return row.running
        return row.state in OVER if action == "retry" else not row.running

    def word_for(self, action: str) -> str:
        """The footer's word for what a key does now, where it is not always the same."""
        row = self.query_one(ExperimentList).row
        return GO_ON if action == "retry" and row is not None and row.kept else ""

    def action_back(self) -> None:
        """Drops the filter, else goes back to what is followed."""
        field = self.query_one(FilterField)
        if field.value:
            field.action_leave(False)
        elif self.dashboard.feed is not None:
            self.app.switch_mode("live")

    def action_filter(self) -> None:
        field = self.query_one(FilterField)
        field.display = True
        field.focus()

    def on_open_wanted(self, message: messages.OpenWanted) -> None:
        self.dashboard.show_experiment(message.directory)

    def action_copy(self) -> None:
        if (row := self.query_one(ExperimentList).row) is not None:
            self.dashboard.copy(str(row.directory), "its path")

    def action_judge(self) -> None:
        from tui.screens.judge import JudgeScreen

        if (row := self.query_one(ExperimentList).row) is not None:
            self.app.push_screen(JudgeScreen(row.directory))

    def action_stop(self) -> None:
        if (row := self.query_one(ExperimentList).row) is not None:
            ask_to_stop(self, row)

    def action_retry(self) -> None:
        if (row := self.query_one(ExperimentList).row) is not None:
            self.dashboard.ask_to_go_on(Wanted(row.directory, row.name))

    def action_delete(self) -> None:
        if (row := self.query_one(ExperimentList).row) is not None:
            ask_to_delete(self, row)

    def on_request_answered(self, message: messages.RequestAnswered) -> None:
        severity = "error" if message.failed else "information"
        self.dashboard.tell(message.sentence, severity=severity)
        self._list()

    # What is told

    def _tell(self) -> None:
        listed = self.query_one(ExperimentList)
        empty = self.query_one("#empty", Static)
        known = self._rows or ()
        running = sum(row.running for row in known)
        about = f"{len(known):,}" if self._rows is not None else ""
        if listed.shown != len(known):
            about = f"{listed.shown:,} of {about}"
        self.query_one("#title", Static).update(
            Content.assemble(
                ("experiments", "bold $primary"),
                f"   {about}",
                (f"   ● {running} running" if running else "", "$primary"),
            ),
            layout=False,
        )
        listed.display = listed.shown > 0
        empty.display = not listed.display
        if not listed.display and self._rows is not None:
            empty.update(_NONE_MATCHES if known else _NONE_YET)
        row = listed.row
        detail = "" if row is None else clean(str(row.directory))
        if row is not None and row.reason:
            detail = f"{row.reason} · {detail}"
        self.query_one("#detail", Static).update(Content(detail), layout=False)


_NONE_YET = Content(
    "No experiment yet.\n\n"
    "Press s to set one up: choose a folder of images, tick strategies, press Enter."
)
_NONE_MATCHES = Content("No experiment matches the filter. Backspace drops it.")
