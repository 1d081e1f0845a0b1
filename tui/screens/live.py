"""Live: what trains now, and how well."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, cast

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content

from engine.report.progress import Progress, progress
from tui import messages, output
from tui.feed import Snapshot
from tui.screens import live_model as model
from tui.screens import live_plots as plots
from tui.screens.chart_keys import ChartKeys
from tui.screens.live_model import Entry
from tui.screens.live_plots import Metric, Shown
from tui.screens.live_requests import Stop, ask_to_retry, ask_to_stop
from tui.widgets import panels, summary
from tui.widgets.chart import Chart
from tui.widgets.keys import KeysLine
from tui.widgets.line import Line, heading
from tui.widgets.viewport import Viewport

if TYPE_CHECKING:
    from tui.app import ResnetTuiApp

SMALL_PAUSE = 0.9
"""Seconds between two drawings of a small chart whose data grows."""

PAINT = 0.25
"""Seconds between looks at the feed's slot; nothing is painted where nothing changed."""

_CRASHED = (
    "The supervisor is gone without a word: it was killed, or the machine ran out of memory. "
    "What was written until then is kept."
)

_SMALL: tuple[Metric, ...] = ("speed", "wait", "step", "lr")
_CYCLE: tuple[Metric, ...] = ("top1", "top5", "speed", "wait", "step", "lr")
"""What the second large chart can show."""


class LiveScreen(ChartKeys):
    """The shown experiment, painted from the newest snapshot at most four times a second."""

    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012
        (0, "-narrow"),
        (110, "-wide"),
    ]
    VERTICAL_BREAKPOINTS = [  # noqa: RUF012
        (0, "-low"),
        (30, "-middle"),
        (38, "-high"),
    ]

    FIRST_KEYS: ClassVar[tuple[str, ...]] = ("stop", "retry", "log", "turn", "follow", "overlay")

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("K", "stop", "stop"),
        Binding("R", "retry", "retry"),
        Binding("l", "log", "log"),
        Binding("n", "turn(1)", "run", key_display="n p"),
        Binding("p", "turn(-1)", "previous run", show=False),
        Binding("f", "follow", "follow"),
        Binding("a", "overlay", "overlay"),
        Binding("m", "metric", "metric"),
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
        self._snapshot: Snapshot | None = None
        self._stop_asked: dict[str, float] = {}
        """When each run was asked to stop, in this session; the empty name means all."""
        self._states: dict[str, str] = {}
        self._painted: tuple[object, ...] = ()
        self._keys: tuple[object, ...] = ()

    def compose(self) -> ComposeResult:
        yield Line(id="status")
        yield Line(id="numbers")
        yield Line(id="progress")
        yield Line(id="tabs")
        with Vertical(id="body"):
            yield Line(id="panel")
            with Horizontal(id="large"):
                yield Chart(id="loss")
                yield Chart(id="accuracy")
            with Horizontal(id="small"):
                for metric in _SMALL:
                    yield Chart(id=f"small-{metric}")
            yield Line(id="strip")
            with Horizontal(id="bottom"):
                yield Line(id="machine")
                yield Line(id="log")
        yield KeysLine()

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
        if feed is None or not self.is_current or output.backlog(self.app) > 1:
            return
        snapshot = feed.latest()
        if snapshot is None:
            error = feed.error
            self._line("status").show(Content.styled(error or "reading …", "bold"))
            return
        if self._snapshot is None or snapshot.experiment is not self._snapshot.experiment:
            self._forget()
        second = int(time.time())
        now = (snapshot.number, second, self.view, self.metric, self.pinned, self.overlay)
        if now == self._painted:
            return
        self._painted = now
        self._snapshot = snapshot
        self._notice_ends(snapshot)
        self._paint(snapshot, time.time())

    def _forget(self) -> None:
        """Another experiment: nothing of the old one's choices fits it."""
        self.pinned = None
        self.overlay = False
        self._stop_asked = {}
        self._states = {}
        self.view = replace(self.view, viewport=Viewport())

    def _paint(self, snapshot: Snapshot, now: float) -> None:
        all_ = model.entries(snapshot)
        shown = self._shown(all_)
        state = self._state(shown, snapshot)
        done = progress(shown.view, now) if shown.view is not None else None
        self._paint_lines(snapshot, all_, shown, state, done, now)
        self._paint_panes(snapshot, shown, state, now)
        self._paint_charts(all_, shown)
        self._update_keys(snapshot, all_, shown, state)
        self.post_message(messages.TitleChanged(model.title(shown, state, done)))

    def _shown(self, all_: tuple[Entry, ...]) -> Entry:
        chosen = next((each for each in all_ if each.name == self.pinned), None)
        return chosen or model.follow(all_)

    def _state(self, entry: Entry, snapshot: Snapshot) -> str:
        return model.state_of(entry, snapshot, entry.name in self._stopping())

    def _stopping(self) -> frozenset[str]:
        if "" in self._stop_asked and self._snapshot is not None:
            return frozenset(each.run for each in self._snapshot.experiment.plan.runs)
        return frozenset(self._stop_asked)

    def _line(self, name: str) -> Line:
        return self.query_one(f"#{name}", Line)

    def _paint_lines(
        self,
        snapshot: Snapshot,
        all_: tuple[Entry, ...],
        shown: Entry,
        state: str,
        done: Progress | None,
        now: float,
    ) -> None:
        line = self._line("status")
        asked = self._stop_asked.get(shown.name, self._stop_asked.get(""))
        words = model.state_words(shown, snapshot, state, asked, now)
        facts = model.about(shown, snapshot)
        line.show(summary.status(state, words, facts, model.place(shown, all_, done), line.room))
        width = line.room
        if not snapshot.caught_up:
            share = snapshot.view.bytes_read / max(1, snapshot.view.bytes_total)
            self._line("progress").show(summary.reading(share, width))
        elif shown.view is not None and done is not None:
            run = shown.view
            self._line("progress").show(
                summary.progress(
                    run, state, done.fraction, done.epoch_fraction, done.eta_seconds, width
                )
            )
        else:
            self._line("progress").show(Content(""))
        figures = summary.Figures()
        if shown.view is not None and done is not None:
            figures = model.figures(shown.view, done)
        self._line("numbers").show(summary.numbers(figures, width))
        several = len(all_) > 1
        self._line("tabs").display = several
        if several:
            entries = model.tabs(all_, snapshot, shown, self.overlay, self._stopping())
            self._line("tabs").show(summary.tabs(entries, width))

    def _paint_panes(self, snapshot: Snapshot, shown: Entry, state: str, now: float) -> None:
        view = snapshot.view
        machine = self._line("machine")
        if self.has_class("-low"):
            self._line("strip").show(panels.machine_strip(view.host, self._line("strip").room))
        else:
            machine.show(panels.machine(view.host, view.cores, view.machine, machine.room))
        log = self._line("log")
        height = log.content_size.height
        lines = [heading("Log", log.room, "")]
        several = len(snapshot.experiment.plan.runs) > 1
        recent = snapshot.lines[-max(0, height - 1) :] if height > 1 else ()
        lines += [
            panels.log_line(each.t, each.run, each.source, each.level, each.text, several)
            for each in recent
        ]
        log.show(Content("\n").join(lines))
        self._paint_panel(shown, state, now)

    def _paint_panel(self, shown: Entry, state: str, now: float) -> None:
        """What starts, or why it failed; out of the way while it trains."""
        panel = self._line("panel")
        run = shown.view
        steps = run.history.steps if run is not None else 0
        kind = ""
        if state in ("failed", "crashed"):
            kind = "failed"
        elif not steps and state in ("starting", "queued", "running"):
            kind = "starting"
        self.set_class(kind == "failed" and steps > 0, "-failed")
        self.set_class(kind == "failed" and not steps, "-failed-early")
        self.set_class(kind == "starting", "-starting")
        if panel.display != bool(kind):
            panel.display = bool(kind)
            # Its room is known after the next layout only.
            self._painted = ()
            self.call_after_refresh(self.paint)
        # The panel is as high as what it says, up to a part of the screen.
        room, height = panel.room or self.size.width - 2, max(6, self.size.height // 3)
        if kind == "failed":
            reason = run.reason if run is not None and run.reason else _CRASHED
            detail = run.detail if run is not None else ""
            title = f"{shown.strategy} {state}"
            content = panels.failure(title, reason, detail, "R retry", room, height)
            panel.show(content, layout=True)
        elif kind == "starting":
            phases = run.phases if run is not None else ()
            panel.show(panels.phases(phases, now, room, height), layout=True)

    def _paint_charts(self, all_: tuple[Entry, ...], shown: Entry) -> None:
        runs = self._runs(all_, shown)
        for name, metric in self._charts():
            chart = self.query_one(f"#{name}", Chart)
            if not chart.size.width or not chart.is_on_screen:
                continue
            pause = 0.0 if chart.parent is not None and chart.parent.id == "large" else SMALL_PAUSE
            if chart.wants((metric, self.view), [each.run for each in runs], pause):
                chart.show(plots.plot(metric, runs, self.view, chart.size.width))

    def _charts(self) -> list[tuple[str, Metric]]:
        small: list[tuple[str, Metric]] = [(f"small-{metric}", metric) for metric in _SMALL]
        return [("loss", "loss"), ("accuracy", self.metric), *small]

    def _runs(self, all_: tuple[Entry, ...], shown: Entry) -> list[Shown]:
        chosen = [shown]
        if self.overlay:
            chosen += [each for each in all_ if each is not shown]
        return [
            Shown(each.view, each.number)
            for each in chosen
            if each.view is not None and (each is shown or each.view.history.steps)
        ]

    # Ends of runs

    def _notice_ends(self, snapshot: Snapshot) -> None:
        """Tells of runs that ended since the last look, and lets go of what they were asked."""
        before = self._states
        self._states = {each.run: each.state for each in snapshot.view.runs}
        for run in snapshot.view.runs:
            was = before.get(run.run)
            if run.state in ("done", "failed", "stopped"):
                self._stop_asked.pop(run.run, None)
                if was in ("queued", "running") and snapshot.caught_up:
                    self.post_message(
                        messages.RunFinished(run.run, run.strategy, run.state, run.reason)
                    )
        if not snapshot.alive:
            self._stop_asked.clear()

    # Keys

    def shown_runs(self) -> list[Shown]:
        if self._snapshot is None:
            return []
        all_ = model.entries(self._snapshot)
        return self._runs(all_, self._shown(all_))

    def chart_cells(self) -> int:
        return self.query_one("#loss", Chart).size.width - 6

    def view_changed(self) -> None:
        self.paint()

    def _update_keys(
        self, snapshot: Snapshot, all_: tuple[Entry, ...], shown: Entry, state: str
    ) -> None:
        """Has the footer show what can be done now."""
        keys = (len(all_), state, snapshot.alive, self.pinned, self._low())
        if keys != self._keys:
            self._keys = keys
            self.refresh_bindings()

    def _low(self) -> bool:
        return self.has_class("-low")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        snapshot = self._snapshot
        if action in ("turn", "overlay", "pick", "follow", "stop", "retry", "log"):
            if snapshot is None:
                return False
            all_ = model.entries(snapshot)
            if action == "pick":
                return 0 < cast("int", parameters[0]) <= len(all_) > 1
            if action == "follow":
                return self.pinned is not None
            if action in ("turn", "overlay"):
                return len(all_) > 1
            if action == "stop":
                return snapshot.alive
            if action == "retry":
                state = self._state(self._shown(all_), snapshot)
                return state in ("failed", "stopped", "crashed")
        return super().check_action(action, parameters)

    def pin(self, run: str | None) -> None:
        """Keeps to a run whatever else begins; ``None`` follows the running one again."""
        self.pinned = run
        self.paint()

    def action_pick(self, number: int) -> None:
        if self._snapshot is not None:
            all_ = model.entries(self._snapshot)
            if number <= len(all_):
                self.pin(all_[number - 1].name)

    def action_turn(self, by: int) -> None:
        if self._snapshot is not None:
            all_ = model.entries(self._snapshot)
            at = self._shown(all_).number - 1
            self.pin(all_[(at + by) % len(all_)].name)

    def action_follow(self) -> None:
        self.pin(None)

    def action_overlay(self) -> None:
        self.overlay = not self.overlay
        self.paint()

    def action_metric(self) -> None:
        self.metric = _CYCLE[(_CYCLE.index(self.metric) + 1) % len(_CYCLE)]
        self.paint()

    def action_log(self) -> None:
        from tui.screens.log import LogScreen

        if self._snapshot is not None:
            shown = self._shown(model.entries(self._snapshot))
            self.app.push_screen(LogScreen(shown.name, shown.strategy))

    def action_stop(self) -> None:
        if self._snapshot is None:
            return
        all_ = model.entries(self._snapshot)
        shown = self._shown(all_)
        left = [
            each for each in all_ if each.view is None or each.view.state in ("queued", "running")
        ]
        asked = "" in self._stop_asked or shown.name in self._stop_asked
        several = len(left) > 1 and shown in left
        ask_to_stop(self, Stop(self._snapshot.experiment, shown, several, asked))

    def action_retry(self) -> None:
        if self._snapshot is not None:
            shown = self._shown(model.entries(self._snapshot))
            ask_to_retry(self, self._snapshot.experiment, shown)

    def on_request_taken(self, message: messages.RequestTaken) -> None:
        if message.action == "retry":
            self._app.tell("queued again")
            return
        self._stop_asked.setdefault(message.run, time.time())
        self._painted = ()

    def on_request_refused(self, message: messages.RequestRefused) -> None:
        self._app.tell(message.sentence, severity="error")
