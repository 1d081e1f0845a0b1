"""Results by class: which classes a run tells well, and what it takes for what."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Input

from engine.experiment import Experiment
from engine.journal.views import RunView
from engine.plan.text import clean
from engine.report.classes import ClassReport, class_report
from tui import messages, output
from tui.screens import results_model as model
from tui.screens.picker import Item, Picker
from tui.screens.results_lines import ResultLines
from tui.screens.results_model import ORDERS, Choice
from tui.screens.results_subject import Choose, Subject
from tui.widgets import class_table
from tui.widgets.filter_field import FilterField
from tui.widgets.fitting import wrapped
from tui.widgets.keys import KeysLine
from tui.widgets.line import Line, heading

if TYPE_CHECKING:
    from tui.app import ResnetTuiApp


class ResultsScreen(Screen[None]):
    """Of one run; it follows the run while it trains."""

    FIRST_KEYS: ClassVar[tuple[str, ...]] = ("close", "confused", "sort", "filter", "export")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r,backspace,escape", "close", "back", key_display="Backspace"),
        Binding("m", "confused", "matrix", tooltip="what is taken for what, or the classes"),
        Binding("o", "sort", "sort"),
        Binding("slash", "filter", "filter", key_display="/"),
        Binding("w", "last", "best or last", tooltip="the best validation, or the last one"),
        Binding("e", "export", "export"),
    ]

    DEFAULT_CSS = """
    ResultsScreen {
        #results-sums { margin-bottom: 1; }
        ResultLines {
            height: 1fr;
            margin: 0 1;
            scrollbar-gutter: stable;
        }
        #results-of-class {
            height: 2;
        }
    }
    """

    def __init__(self, choose: Choose) -> None:
        super().__init__()
        self._subject_of = choose
        self._choice = Choice()
        self._subject: Subject | None = None
        self._report: ClassReport | None = None
        self._painted: tuple[object, ...] = ()

    def compose(self) -> ComposeResult:
        yield Line(id="results-title")
        yield Line(id="results-about")
        yield Line(id="results-sums")
        listed = ResultLines()
        yield FilterField(listed, "a part of a class's name")
        yield Line(id="results-head")
        yield listed
        yield Line(id="results-of-class")
        yield KeysLine()

    def on_mount(self) -> None:
        self.query_one(ResultLines).focus()
        self.set_interval(0.25, self.paint)
        self.call_after_refresh(self.paint)

    def on_resize(self) -> None:
        self._painted = ()
        self.call_after_refresh(self.paint)

    # Painting

    def paint(self) -> None:
        """Where something changed, and the terminal took the last frame."""
        feed = cast("ResnetTuiApp", self.app).feed
        snapshot = feed.latest() if feed is not None else None
        listed = self.query_one(ResultLines)
        if snapshot is None or not listed.room or output.backlog(self.app) > 1:
            return
        subject = self._subject_of(snapshot)
        run = subject.run if subject is not None else None
        judged = model.judged_of(run, self._choice)
        validated = len(run.validations) if run is not None else 0
        state = run.state if run is not None else ""
        now = (judged, state, validated, self._choice, listed.size)
        if now == self._painted:
            return
        self._painted, self._subject = now, subject
        if judged is None or run is None:
            self._report = None
        elif self._report is None or self._report.judged is not judged:
            self._report = class_report(judged, run.ready.classes if run.ready else ())
        self._show(listed)
        self.refresh_bindings()

    def _show(self, listed: ResultLines) -> None:
        subject, report = self._subject, self._report
        title = self.query_one("#results-title", Line)
        name = clean(subject.title) if subject is not None else "a run that is gone"
        state = subject.run.state if subject is not None and subject.run is not None else ""
        title.show(heading(f"Results by class of {name}", title.room, state))
        about, sums, head = (
            self.query_one(f"#results-{part}", Line) for part in ("about", "sums", "head")
        )
        if report is None or subject is None or subject.run is None:
            run = subject.run if subject is not None else None
            for line in (about, sums, head):
                line.show(Content(""))
            told = wrapped(model.missing(run), listed.room)
            listed.show(None, [Content.styled(each, "$foreground") for each in told])
        else:
            choice = self._choice
            about.show(model.about(report, subject.run, subject.plan, about.room))
            sums.show(model.sums(report, sums.room))
            head.show(model.head(report, choice, listed.room))
            height = listed.scrollable_content_region.height
            listed.show(report, model.entries(report, choice, listed.room, height))
        self._tell()

    def on_result_lines_visited(self) -> None:
        self._tell()

    def _tell(self) -> None:
        """Everything that is said of the class under the cursor."""
        below, entry = self.query_one("#results-of-class", Line), self.query_one(ResultLines).entry
        if self._report is None or entry is None or isinstance(entry, Content):
            below.show(Content(""))
            return
        place = entry if isinstance(entry, int) else entry.true
        below.show(class_table.about(self._report, place, below.room))

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("confused", "filter", "export"):
            return self._report is not None
        if action == "sort":
            return self._report is not None and not self._choice.confused
        if action == "last":
            run = self._subject.run if self._subject is not None else None
            return run is not None and run.best_judged is not run.last_judged
        return True

    def _choose(self, **changes: object) -> None:
        self._choice = replace(self._choice, **changes)  # type: ignore[arg-type]
        self.paint()

    def action_confused(self) -> None:
        self._choose(confused=not self._choice.confused)
        self.query_one(ResultLines).action_jump(0)

    def action_last(self) -> None:
        self._choose(last=not self._choice.last)

    def action_sort(self) -> None:
        """The order that it has already, once more, turns it round."""
        choice = self._choice

        def answered(answer: str | frozenset[str] | None) -> None:
            if isinstance(answer, str):
                again = answer == choice.order
                self._choose(order=answer, reverse=not choice.reverse if again else False)

        items = [
            Item(name, about, "Enter turns it round" if name == choice.order else "")
            for name, about in ORDERS.items()
        ]
        self.app.push_screen(Picker("Sort by", items, at=choice.order), answered)

    def action_filter(self) -> None:
        field = self.query_one(FilterField)
        field.display = True
        field.focus()

    def on_input_changed(self, message: Input.Changed) -> None:
        message.stop()
        self._choose(needle=message.value.strip())

    def action_export(self) -> None:
        from tui.screens.results_out import ask_which

        if (known := self._exported()) is not None:
            ask_which(self, *known)

    def _exported(self) -> tuple[Experiment, str, RunView] | None:
        """Where the shown run's files go, the experiment's name, and the run."""
        feed, subject = cast("ResnetTuiApp", self.app).feed, self._subject
        snapshot = feed.latest() if feed is not None else None
        if snapshot is None or subject is None or subject.run is None:
            return None
        return snapshot.experiment, subject.experiment, subject.run

    def on_exported(self, message: messages.Exported) -> None:
        cast("ResnetTuiApp", self.app).tell(f"written: {clean(str(message.path))}")

    def on_export_refused(self, message: messages.ExportRefused) -> None:
        from tui.screens.results_out import ask_to_overwrite

        known = self._exported()
        if not message.exists:
            cast("ResnetTuiApp", self.app).tell(message.sentence, severity="error")
        elif known is not None:
            ask_to_overwrite(self, *known, message)

    def action_close(self) -> None:
        self.dismiss()
