"""The whole log of the shown experiment: notices, what the ranks printed, and the command."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import Screen

from engine.plan.text import clean
from tui import output
from tui.feed import LogLine, Snapshot
from tui.widgets.keys import KeysLine
from tui.widgets.line import Line, heading
from tui.widgets.lines import Lines
from tui.widgets.panels import log_line

if TYPE_CHECKING:
    from tui.app import ResnetTuiApp


class LogLines(Lines):
    """The lines in the order in which they were seen; it only scrolls."""

    has_cursor = False

    def __init__(self) -> None:
        super().__init__()
        self.lines: tuple[LogLine, ...] = ()
        self.several = False

    def line(self, number: int, width: int) -> Content:
        each = self.lines[number]
        return log_line(each.t, each.run, each.source, each.level, each.text, self.several)


class LogScreen(Screen[None]):
    """Follows the newest line for as long as the end is in sight."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("l,backspace,escape", "close", "back", key_display="l"),
        Binding("t", "this_run", "this run or all"),
        Binding("y", "copy", "copy the command"),
    ]

    DEFAULT_CSS = """
    LogScreen #log-command {
        height: auto;
        max-height: 5;
        text-wrap: wrap;
        margin-bottom: 1;
    }
    """

    def __init__(self, run: str, strategy: str) -> None:
        super().__init__()
        self._run, self._strategy = run, strategy
        self._only = False
        self._seen = (-1, False)
        self._command = ""

    def compose(self) -> ComposeResult:
        yield Line(id="log-command")
        yield Line(id="log-title")
        yield LogLines()
        yield KeysLine()

    def on_mount(self) -> None:
        self.query_one(LogLines).focus()
        self.set_interval(0.5, self.paint)
        self.call_after_refresh(self.paint)

    def paint(self) -> None:
        feed = cast("ResnetTuiApp", self.app).feed
        snapshot = feed.latest() if feed is not None else None
        if snapshot is None or output.backlog(self.app) > 1:
            return
        if self._seen == (snapshot.number, self._only):
            return
        self._seen = (snapshot.number, self._only)
        self._show_command(snapshot)
        pane = self.query_one(LogLines)
        at_end = pane.scroll_offset.y >= pane.max_scroll_y
        lines = snapshot.lines
        if self._only:
            lines = tuple(each for each in lines if each.run in ("", self._run))
        title = self.query_one("#log-title", Line)
        which = self._strategy if self._only else "all runs"
        title.show(heading("Log", title.room, f"{which} · {len(lines)} lines"))
        if lines != pane.lines or not pane.count:
            pane.lines = lines
            pane.several = len(snapshot.experiment.plan.runs) > 1
            pane.set_count(len(lines))
            if at_end:
                pane.scroll_end(animate=False)

    def _show_command(self, snapshot: Snapshot) -> None:
        """The command as it was run, quoted for a shell."""
        run = snapshot.view.run(self._run)
        self._command = shlex.join(run.argv) if run is not None else ""
        shown = Content.styled("not launched yet", "$quiet")
        if self._command:
            shown = Content.assemble(("$ ", "$primary"), clean(self._command))
        line = self.query_one("#log-command", Line)
        title = heading(f"Command of {clean(self._strategy)}", line.room)
        line.show(Content("\n").join([title, shown]), layout=True)
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return bool(self._command) if action == "copy" else True

    def action_copy(self) -> None:
        cast("ResnetTuiApp", self.app).copy(self._command, f"the command of {self._strategy}")

    def action_this_run(self) -> None:
        self._only = not self._only
        self.paint()

    def action_close(self) -> None:
        self.dismiss()
