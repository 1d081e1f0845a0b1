"""What the keys of the live view do."""

from __future__ import annotations

import shlex
import time
from typing import TYPE_CHECKING, ClassVar, cast

from textual.binding import Binding, BindingType

from tui import messages
from tui.going_on import Wanted
from tui.kept import word
from tui.screens.live_layout import LiveLayout
from tui.screens.live_metrics import Metric
from tui.screens.live_model import Look
from tui.screens.live_plots import Shown
from tui.screens.live_requests import Stop, ask_to_stop
from tui.widgets.chart import Chart

if TYPE_CHECKING:
    from tui.app import ResnetTuiApp

_CYCLE: tuple[Metric, ...] = ("top1", "top5", "speed", "wait", "step", "lr")
"""What the second large chart can show."""


_NEED_A_LOOK = frozenset(
    (
        "turn",
        "overlay",
        "pick",
        "follow",
        "stop",
        "retry",
        "log",
        "stages",
        "devices",
        "diagnosis",
        "results",
        "judge",
    )
)


class LiveActions(LiveLayout):
    """Chooses what is looked at, and asks for what is to be done about it."""

    FIRST_KEYS: ClassVar[tuple[str, ...]] = (
        "stop",
        "retry",
        "log",
        "devices",
        "diagnosis",
        "stages",
        "app.queue",
        "results",
        "judge",
        "turn",
        "follow",
        "overlay",
    )

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("K", "stop", "stop"),
        Binding("R", "retry", "retry", tooltip="go on from its checkpoint, or begin anew"),
        Binding("l", "log", "log"),
        Binding("d", "devices", "devices"),
        Binding("i", "diagnosis", "why", tooltip="diagnosis: what holds it up, and why"),
        Binding("r", "results", "results", tooltip="results by class"),
        Binding("j", "judge", "judge", tooltip="judge an image: what the network takes it for"),
        Binding("u", "app.queue", "queue", tooltip="the queue: move, drop and add runs"),
        Binding("n", "turn(1)", "next", key_display="n p", tooltip="next strategy"),
        Binding("p", "turn(-1)", "previous strategy", show=False),
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
        self._painted: tuple[object, ...] = ()

    @property
    def _app(self) -> ResnetTuiApp:
        return cast("ResnetTuiApp", self.app)

    def paint(self) -> None:
        """Shows the newest that is known."""
        raise NotImplementedError

    def shown_runs(self) -> list[Shown]:
        return self.look.runs if self.look is not None else []

    def chart_cells(self) -> int:
        return self.query_one("#loss", Chart).size.width - 6

    def view_changed(self) -> None:
        self.paint()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        look = self.look
        if action not in _NEED_A_LOOK:
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
            # What waits for a supervisor that is gone waits for ever.
            left = look.state == "queued" and not look.snapshot.alive
            return not look.snapshot.gone and (
                left or look.state in ("failed", "stopped", "crashed")
            )
        return True

    def word_for(self, action: str) -> str:
        """The footer's word for what a key does now, where it is not always the same."""
        look = self.look
        if action != "retry" or look is None:
            return ""
        return word(look.snapshot.kept, look.shown.name)

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
            self.app.push_screen(LogScreen(self.look.shown.name, self.look.shown.title))

    def action_devices(self) -> None:
        from tui.screens.devices import DevicesScreen

        if self.look is not None:
            self.app.push_screen(DevicesScreen(self.look.shown.name))

    def action_diagnosis(self) -> None:
        from tui.screens.diagnosis import DiagnosisScreen

        if self.look is not None:
            shown, insight = self.look.shown, self.look.insight
            before = insight.verdict.kind if insight is not None else None
            self.app.push_screen(DiagnosisScreen(shown.name, shown.title, before))

    def action_results(self) -> None:
        from tui.screens.results import ResultsScreen
        from tui.screens.results_subject import of_run

        if self.look is not None:
            shown = self.look.shown
            self.app.push_screen(ResultsScreen(of_run(shown.name, shown.title)))

    def action_judge(self) -> None:
        from tui.screens.judge import JudgeScreen

        if self.look is not None:
            directory = self.look.snapshot.experiment.directory
            self.app.push_screen(JudgeScreen(directory, self.look.shown.name))

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
            directory, shown = self.look.snapshot.experiment.directory, self.look.shown
            self._app.ask_to_go_on(Wanted(directory, shown.title, (shown.name,)))

    def on_request_taken(self, message: messages.RequestTaken) -> None:
        self._stop_asked.setdefault(message.run, time.time())
        self._painted = ()

    def on_request_refused(self, message: messages.RequestRefused) -> None:
        self._app.tell(message.sentence, severity="error")
