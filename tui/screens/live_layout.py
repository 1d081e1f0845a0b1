"""How the live view is laid out, and how one look at an experiment is painted on it."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content

from tui.kept import word
from tui.screens import live_model as model
from tui.screens import live_plots as plots
from tui.screens.live_metrics import Metric
from tui.screens.live_model import Look
from tui.screens.live_panes import LivePanes
from tui.screens.live_preparing import before_it
from tui.screens.live_queue import place
from tui.screens.live_tabs import tabs
from tui.widgets import panels, summary
from tui.widgets.chart import Chart
from tui.widgets.keys import KeysLine
from tui.widgets.line import Line
from tui.widgets.pipeline import pipeline, rows_of
from tui.widgets.verdict import verdict_line

SMALL_PAUSE = 1.9
"""Seconds between two drawings of a small chart whose data grows."""
NARROW_PAUSE = 1.9
"""As many more for any chart once a step is narrower than a dot: most steps then change nothing."""

CHART_ROWS = 8
"""With fewer, large charts tell nothing."""
SMALL_ROWS = 7
"""As many for the small ones."""

SMALL: tuple[Metric, ...] = ("speed", "wait", "step", "lr")

_CRASHED = (
    "The supervisor is gone without a word: it was killed, or the machine ran out of memory. "
    "What was written until then is kept."
)
_DELETED = "The directory of the experiment was deleted. What is shown here is all that is left."


class LiveLayout(LivePanes):
    """Lines above, two large charts, small ones, the panes below; fewer where it is low."""

    def compose(self) -> ComposeResult:
        yield Line(id="status")
        yield Line(id="numbers")
        yield Line(id="progress")
        yield Line(id="tabs")
        yield Line(id="verdict")
        with Vertical(id="body"):
            yield Line(id="panel")
            with Horizontal(id="large"):
                yield Chart(id="loss")
                yield Chart(id="accuracy")
            with Horizontal(id="small"):
                for metric in SMALL:
                    yield Chart(id=f"small-{metric}")
            yield Line(id="pipeline")
            yield Line(id="strip")
            with Horizontal(id="bottom"):
                yield Line(id="time")
                yield Line(id="devices")
                yield Line(id="log")
        yield KeysLine()

    def show_look(self, look: Look) -> bool:
        """Paints what changed; ``True`` where the layout did, so that it must be painted again."""
        self._show_lines(look)
        self.show_panes(look)
        again = self._show_panel(look)
        again = self._show_pipeline(look) or again
        self._show_charts(look)
        return again

    def _show_lines(self, look: Look) -> None:
        line = self.line("status")
        words = model.state_words(look)
        right = place(look)
        width = line.room
        line.show(summary.status(look.state, words, model.about(look), right, width))
        figures = summary.Figures()
        run, done = look.shown.view, look.progress
        content = Content("")
        if run is not None and done is not None:
            figures = model.figures(run, done, look.insight)
            shares = (done.fraction, done.epoch_fraction, done.eta_seconds)
            content = summary.progress(run, look.state, *shares, width)
        if not look.snapshot.caught_up:
            view = look.snapshot.view
            content = summary.reading(view.bytes_read / max(1, view.bytes_total), width)
        self.line("progress").show(content)
        ended = look.state in ("done", "failed", "stopped", "crashed")
        self.line("numbers").show(summary.numbers(figures, width, ended=ended))
        line = self.line("tabs")
        line.display = len(look.entries) > 1
        if line.display:
            line.show(summary.tabs(tabs(look), width))
        if look.insight is not None:
            self.line("verdict").show(verdict_line(look.insight.verdict, width))
        else:
            self.line("verdict").show(Content(""))

    def _show_panel(self, look: Look) -> bool:
        """What starts, or why it failed; out of the way while it trains."""
        panel = self.line("panel")
        run = look.shown.view
        steps = run.history.steps if run is not None else 0
        failed = look.state in ("failed", "crashed")
        starting = not steps and look.state in ("starting", "queued", "running")
        self.set_class(failed, "-failed")
        self.set_class(starting, "-starting")
        changed = panel.display != (failed or starting)
        panel.display = failed or starting
        # The panel is as high as what it says, up to a part of the screen.
        room, height = panel.room or self.size.width - 2, max(6, self.size.height // 3)
        if failed:
            gone = look.snapshot.gone
            silent = _DELETED if gone else _CRASHED
            reason = run.reason if run is not None and run.reason else silent
            detail = run.detail if run is not None else ""
            title = f"{look.shown.title} {look.state}"
            key = "" if gone else f"R {word(look.snapshot.kept, look.shown.name)}"
            panel.show(panels.failure(title, reason, detail, key, room, height), layout=True)
        elif look.state == "queued":
            lines = before_it(look, room, max(height, self.size.height // 2 - 1))
            panel.show(Content("\n").join(lines), layout=True)
        elif starting:
            phases = run.phases if run is not None else ()
            panel.show(panels.phases(phases, look.now, room, height), layout=True)
        return changed

    def _show_pipeline(self, look: Look) -> bool:
        """The stages of a pipeline: beside the charts where there is room, else instead of them."""
        run, line = look.shown.view, self.line("pipeline")
        view = run.pipeline if run is not None else None
        roomy = self.is_high and not self.has_class("-narrow")
        wanted = roomy if look.stages is None else look.stages
        shown = view is not None and wanted and not self.has_class("-failed")
        changed = line.display != shown
        line.display = shown
        alone = False
        if shown and view is not None:
            room = self._room_for_stages()
            alone = rows_of(view) > room
            made = model.schedule_of(look.shown, view)
            width = line.room or self.size.width - 2
            height = room + CHART_ROWS if alone else room
            line.show(pipeline(view, made, width, height), layout=True)
        changed = changed or alone != self.has_class("-stages")
        self.set_class(alone, "-stages")
        return changed

    def _room_for_stages(self) -> int:
        """Rows that the charts can spare."""
        body = self.query_one("#body").content_size.height
        bottom = self.query_one("#bottom").outer_size.height
        below = bottom + 1 + SMALL_ROWS * self.is_high
        return max(0, body - below - CHART_ROWS - 1)

    def _show_charts(self, look: Look) -> None:
        runs = look.runs
        charts: list[tuple[str, Metric]] = [("loss", "loss"), ("accuracy", look.metric)]
        charts += [(f"small-{metric}", metric) for metric in SMALL]
        for name, metric in charts:
            chart = self.query_one(f"#{name}", Chart)
            if not chart.size.width or not chart.is_on_screen:
                continue
            pause = SMALL_PAUSE if name.startswith("small") else 0.0
            if max((each.run.history.steps for each in runs), default=0) > 2 * chart.size.width:
                pause += NARROW_PAUSE
            # What is no step (a validation, the end) is drawn at once.
            marks = [(each.run.state, len(each.run.validations)) for each in runs]
            if chart.wants((metric, self.view, marks), [each.run for each in runs], pause):
                chart.show(plots.plot(metric, runs, self.view, chart.size.width))
