"""Live: what trains now, and how well."""

from __future__ import annotations

import shlex
import time
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, cast

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content

from engine.report.progress import progress
from tui import messages, output
from tui.feed import Snapshot
from tui.screens import live_model as model
from tui.screens.live_layout import LiveLayout
from tui.screens.live_metrics import Metric
from tui.screens.live_model import Entry, Look
from tui.screens.live_news import ENDED, News
from tui.screens.live_plots import Shown
from tui.screens.live_requests import Stop, ask_to_retry, ask_to_stop
from tui.widgets.chart import Chart
from tui.widgets.viewport import Viewport

if TYPE_CHECKING:
    from tui.app import ResnetTuiApp

PAINT = 0.25
"""Seconds between looks at the feed's slot; nothing is painted where nothing changed."""

_CYCLE: tuple[Metric, ...] = ("top1", "top5", "speed", "wait", "step", "lr")
"""What the second large chart can show."""


class LiveScreen(LiveLayout):
    """The shown experiment, painted from the newest snapshot at most four times a second."""

    FIRST_KEYS: ClassVar[tuple[str, ...]] = (
        "stop",
        "retry",
        "log",
        "stages",
        "turn",
        "follow",
        "overlay",
    )

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("K", "stop", "stop"),
        Binding("R", "retry", "retry"),
        Binding("l", "log", "log"),
        Binding("n", "turn(1)", "run", key_display="n p", tooltip="next run"),
        Binding("p", "turn(-1)", "previous run", show=False),
        Binding("f", "follow", "follow"),
        Binding("a", "overlay", "overlay"),
        Binding("m", "metric", "metric"),
        Binding("t", "stages", "stages", tooltip="the stages of a pipeline, shown or hidden"),
        Binding(
            "y", "copy", "copy", show=False, tooltip="copy the error, or the command to attach"
        ),
        *(
            Binding(str(number), f"pick({number})", f"strategy {number}", show=False)
            for number in range(1, 10)
        ),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.metric: Metric = "top1"
        self.pinned: str | None = None
        """The run that the user chose to look at; ``None`` follows the running one."""
        self.overlay = False
        self.stages: bool | None = None
        """Whether the stages of a pipeline are shown; ``None`` where there is room."""
        self.look: Look | None = None
        """What is painted; ``None`` before anything is known."""
        self._stop_asked: dict[str, float] = {}
        """When each run was asked to stop, in this session; the empty name means all."""
        self._news = News()
        self._trying = False
        self._painted: tuple[object, ...] = ()
        self._keys: tuple[object, ...] = ()

    def on_mount(self) -> None:
        self.set_interval(PAINT, self.paint)

    def on_screen_resume(self) -> None:
        self._painted = ()
        self.call_after_refresh(self.paint)

    def on_resize(self, _event: events.Resize) -> None:
        self._painted = ()
        self.call_after_refresh(self.paint)

    # Painting

    @property
    def _app(self) -> ResnetTuiApp:
        return cast("ResnetTuiApp", self.app)

    def paint(self) -> None:
        """Shows the newest snapshot, unless the terminal has not taken the last frame yet."""
        feed = self._app.feed
        if feed is None or not self.is_current:
            return
        if output.backlog(self.app) > 1:
            self._try_again()
            return
        snapshot = feed.latest()
        if snapshot is None:
            error = feed.error
            self.line("status").show(Content.styled(error or "reading …", "bold"))
            return
        if self.look is None or snapshot.experiment is not self.look.snapshot.experiment:
            self._forget()
        second = int(time.time())
        chosen = (self.metric, self.pinned, self.overlay, self.stages)
        now = (snapshot.number, second, self.view, chosen)
        if now == self._painted:
            return
        self._painted = now
        self._tell_news(snapshot)
        self._show(snapshot)

    def _try_again(self) -> None:
        """The line is stalled: look soon whether it moves, so that a key waits no longer."""
        if not self._trying:
            self._trying = True
            self.set_timer(0.04, self._tried)

    def _tried(self) -> None:
        self._trying = False
        self.paint()

    def _forget(self) -> None:
        """Another experiment: nothing of the old one's choices fits it."""
        self.pinned = None
        self.overlay = False
        self._stop_asked = {}
        self._news = News()
        self.view = replace(self.view, viewport=Viewport())

    def _look(self, snapshot: Snapshot) -> Look:
        now = time.time()
        all_ = model.entries(snapshot)
        shown = next((each for each in all_ if each.name == self.pinned), None)
        shown = shown or model.follow(all_)
        asked = self._asked(all_)
        training = [each.view for each in all_ if each.view and each.view.state == "running"]
        return Look(
            snapshot=snapshot,
            entries=all_,
            shown=shown,
            state=model.state_of(shown, snapshot, shown.name in asked),
            stopping=frozenset(asked),
            stop_asked=asked.get(shown.name),
            overlay=self.overlay,
            stages=self.stages,
            metric=self.metric,
            progress=progress(shown.view, now) if shown.view is not None else None,
            running=progress(training[0], now) if training and len(all_) > 1 else None,
            now=now,
        )

    def _asked(self, all_: tuple[Entry, ...]) -> dict[str, float]:
        """When runs were asked to stop: from here, or from anywhere by the supervisor's word."""
        asked = {}
        for each in all_:
            told = each.view.stop_asked if each.view is not None else None
            here = self._stop_asked.get(each.name, self._stop_asked.get(""))
            times = [t for t in (here, told) if t is not None]
            if times:
                asked[each.name] = min(times)
        return asked

    def _show(self, snapshot: Snapshot) -> None:
        self.look = look = self._look(snapshot)
        if self.show_look(look):
            # Its room is known after the next layout only.
            self._painted = ()
            self.call_after_refresh(self.paint)
        run = look.shown.view
        staged = run is not None and run.pipeline is not None
        keys = (len(look.entries), look.state, snapshot.alive, self.pinned, self.size, staged)
        if keys != self._keys:
            self._keys = keys
            self.refresh_bindings()
        title = model.title(look.shown, look.state, look.progress)
        self.post_message(messages.TitleChanged(title))

    def _tell_news(self, snapshot: Snapshot) -> None:
        """Says what happened since the last look, and lets go of requests that are done."""
        for message in self._news.ends(snapshot):
            self.post_message(message)
        if news := self._news.welcome(snapshot, time.time()):
            self._app.tell(news)
        if not snapshot.alive:
            self._stop_asked.clear()
        for run in snapshot.view.runs:
            if run.state in ENDED:
                self._stop_asked.pop(run.run, None)

    # Keys

    def shown_runs(self) -> list[Shown]:
        return self.look.runs if self.look is not None else []

    def chart_cells(self) -> int:
        return self.query_one("#loss", Chart).size.width - 6

    def view_changed(self) -> None:
        self.paint()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        look = self.look
        if action not in ("turn", "overlay", "pick", "follow", "stop", "retry", "log", "stages"):
            return super().check_action(action, parameters)
        if look is None:
            return False
        if action == "pick":
            return 0 < cast("int", parameters[0]) <= len(look.entries) > 1
        if action in ("turn", "overlay"):
            return len(look.entries) > 1
        if action == "stages":
            return look.shown.view is not None and look.shown.view.pipeline is not None
        if action == "follow":
            return self.pinned is not None
        if action == "stop":
            return look.snapshot.alive
        if action == "retry":
            return look.state in ("failed", "stopped", "crashed")
        return True

    def pin(self, run: str | None) -> None:
        """Keeps to a run whatever else begins; ``None`` follows the running one again."""
        self.pinned = run
        self.paint()

    def action_pick(self, number: int) -> None:
        if self.look is not None and number <= len(self.look.entries):
            self.pin(self.look.entries[number - 1].name)

    def action_turn(self, by: int) -> None:
        if self.look is not None:
            all_ = self.look.entries
            self.pin(all_[(self.look.shown.number - 1 + by) % len(all_)].name)

    def action_follow(self) -> None:
        self.pin(None)

    def action_overlay(self) -> None:
        self.overlay = not self.overlay
        self.paint()

    def action_stages(self) -> None:
        self.stages = not self.query_one("#pipeline").display
        self.paint()

    def action_metric(self) -> None:
        self.metric = _CYCLE[(_CYCLE.index(self.metric) + 1) % len(_CYCLE)]
        self.paint()

    def action_log(self) -> None:
        from tui.screens.log import LogScreen

        if self.look is not None:
            self.app.push_screen(LogScreen(self.look.shown.name, self.look.shown.strategy))

    def action_stop(self) -> None:
        look = self.look
        if look is None:
            return
        left = [each for each in look.entries if each.is_left]
        asked = look.shown.name in look.stopping
        several = len(left) > 1 and look.shown in left
        ask_to_stop(self, Stop(look.snapshot.experiment, look.shown, several, asked))

    def action_copy(self) -> None:
        """Why it failed, for a search or a colleague; else how to see it from elsewhere."""
        if self.look is None:
            return
        run = self.look.shown.view
        if run is not None and run.state == "failed":
            self._app.copy("\n".join(filter(None, (run.reason, run.detail))), "why it failed")
        else:
            name = self.look.snapshot.experiment.name
            self._app.copy(f"resnet-tui attach {shlex.quote(name)}", "the command to attach")

    def action_retry(self) -> None:
        if self.look is not None:
            ask_to_retry(self, self.look.snapshot.experiment, self.look.shown)

    def on_request_taken(self, message: messages.RequestTaken) -> None:
        if message.action == "retry":
            self._app.tell("queued again")
            return
        self._stop_asked.setdefault(message.run, time.time())
        self._painted = ()

    def on_request_refused(self, message: messages.RequestRefused) -> None:
        self._app.tell(message.sentence, severity="error")
