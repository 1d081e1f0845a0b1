"""How Setup is laid out, and what it says of all that is known."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static

from engine.plan.inspection import Report
from engine.plan.machine import Machine
from engine.plan.strategies import Strategy, known_strategies
from tui.draft import Draft
from tui.screens import setup_words as words
from tui.screens.setup_memory import Needs, in_parts, needs, of_ticked
from tui.screens.setup_space import Space, in_words, space
from tui.screens.setup_strategies import choices
from tui.widgets.dataset_report import DatasetReport
from tui.widgets.folder_tree import FolderTree
from tui.widgets.keys import KeysLine
from tui.widgets.path_field import PathField
from tui.widgets.schedule import SchedulePane
from tui.widgets.settings_form import SettingsForm
from tui.widgets.strategy_list import StrategyList

if TYPE_CHECKING:
    from tui.app import ResnetTuiApp


class SetupLayout(Screen[None]):
    """Three panes side by side, or on a narrow terminal the dataset first and the rest after.

    Above them the chosen dataset, below them one line of what there is to say.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "pane(1)", "next pane", key_display="Tab"),
        Binding("shift+tab", "pane(-1)", "previous pane", show=False),
    ]
    BINDING_GROUP_TITLE = "setup"
    FIRST_KEYS: ClassVar[tuple[str, ...]] = (
        *("start", "tick", "choose", "open", "cycle", "enter", "more", "pane"),
        *("learning_rate", "network", "path"),
    )
    SHORT_WORDS: ClassVar[dict[str, str]] = {
        "start": "start",
        "enter": "edit",
        "open": "fold",
        "pane": "pane",
        "learning_rate": "rate",
        "path": "find",
    }

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (150, "-wide")]  # noqa: RUF012 (as the base has it)
    VERTICAL_BREAKPOINTS = [(0, "-low"), (36, "-high")]  # noqa: RUF012

    CSS_PATH = "../setup.tcss"

    def __init__(self) -> None:
        super().__init__()
        self.draft = Draft(self.dashboard.start.given)
        self.report: Report | None = None
        self.problem = ""
        """Why the chosen folder cannot be trained on."""
        self.machine: Machine | None = None
        self.free: int | None = None
        """Bytes that are free where experiments lie, once that is known."""
        self.strategies = known_strategies()
        self._needs: dict[str, Needs] = {}
        """The memory that each strategy would take, as far as that is known."""
        self._said = Content("")
        self._said_at: Widget | None = None
        """Leaving it takes back what was said; the screen itself is not left so."""

    @property
    def dashboard(self) -> ResnetTuiApp:
        return cast("ResnetTuiApp", self.app)

    def compose(self) -> ComposeResult:
        start = self.dashboard.start
        root = start.dataset.absolute().parent if start.dataset else Path.cwd()
        yield Static(id="title")
        with Container(id="panes"):
            with Vertical(id="folders", classes="pane"):
                yield PathField()
                yield FolderTree(root)
            with Vertical(id="report", classes="pane"):
                yield DatasetReport()
                yield SchedulePane(id="schedule")
            with Vertical(id="training"):
                with Vertical(id="strategies", classes="pane"):
                    found = choices(self.strategies, self.draft.settings, None)
                    yield StrategyList(found, start.strategies or ("single",))
                with Vertical(id="settings", classes="pane"):
                    yield SettingsForm()
        yield Static(id="notice")
        yield KeysLine()

    # Panes

    def action_pane(self, by: int) -> None:
        panes = self._panes()
        at = next((n for n, pane in enumerate(panes) if pane.has_focus), -1 if by > 0 else 0)
        self._focus(panes[(at + by) % len(panes)])

    def _panes(self) -> list[Widget]:
        return [
            self.query_one(FolderTree),
            self.query_one(DatasetReport),
            self.query_one(StrategyList),
            self.query_one(SettingsForm).lines,
        ]

    def _focus(self, pane: Widget) -> None:
        """Shows the page that ``pane`` is on, where there are pages, and goes there."""
        if not isinstance(pane, DatasetReport):
            self.set_class(not isinstance(pane, FolderTree), "-training")
        elif self.has_class("-low"):
            # There it stands on the first page alone.
            self.remove_class("-training")
        pane.focus()

    def on_resize(self) -> None:
        self.call_after_refresh(self._resized)

    def _resized(self) -> None:
        self.query_one(StrategyList).set_compact(self.has_class("-low"))
        self._show_titles()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        for pane in self.query(".pane"):
            pane.set_class(pane in event.widget.ancestors, "-focused")
        if self._said_at not in (event.widget, self):
            self._unsay()

    # What is told

    def _say(self, text: str, *, error: bool = False, at: Widget | None = None) -> None:
        """Puts a sentence above the keys, until something is done about it or ``at`` is left."""
        self._said = Content.styled(text, "$error" if error else "$quiet")
        self._said_at = at or self.focused
        self._tell()

    def _unsay(self) -> None:
        self._said = Content("")
        self._tell()

    def _tell(self) -> None:
        """The first line, and the one above the keys: what was said, else what Enter starts."""
        self.set_class(bool(self.problem), "-problem")
        images = self.report.train_images if self.report is not None else None
        schedule = self.query_one(SchedulePane)
        schedule.show(self.draft.settings, images, self.dashboard.ascii)
        title = words.title(self.draft.dataset, self.report, self.problem)
        self.query_one("#title", Static).update(title, layout=False)
        strategies = self.query_one(StrategyList)
        says = Content("")
        if self.draft.dataset is not None and not self.problem:
            says = words.summary(
                self.draft.settings,
                strategies.ticked,
                strategies.has_focus,
                strategies.ticked_in_vain,
                of_ticked(self._needs, strategies.ticked),
                in_words(self._space()),
            )
        if strategies.has_focus and (visited := strategies.visited) is not None:
            memory = in_parts(self._needs.get(visited.name), self.has_class("-wide"))
            about = words.strategy(visited, strategies.compact, memory)
            says = Content("\n").join([about, says])
        self.query_one("#notice", Static).update(self._said or says)

    def ticked_strategies(self) -> tuple[Strategy, ...]:
        ticked = self.query_one(StrategyList).ticked
        return tuple(each for each in self.strategies if each.name in ticked)

    def _space(self) -> Space | None:
        """What checkpoints would take; on a narrow screen only where there is too little room."""
        if self.machine is None or self.report is None or not self.report.classes:
            return None
        found = space(
            self.ticked_strategies(),
            self.draft.settings,
            self.machine,
            len(self.report.classes),
            self.free,
            self.report.train_images,
        )
        return found if found.too_little or self.has_class("-wide") else None

    def _judge(self) -> None:
        """Looks anew at what each strategy can do with the settings, once the machine is known."""
        if self.machine is None:
            return
        found = choices(self.strategies, self.draft.settings, self.machine)
        self.query_one(StrategyList).show_choices(found)
        self._needs = {}
        if self.report is not None and self.report.classes:
            classes, images = len(self.report.classes), self.report.train_images
            self._needs = needs(self.strategies, self.draft.settings, self.machine, classes, images)

    def _show_titles(self) -> None:
        about = "looking at this machine …" if self.machine is None else words.machine(self.machine)
        titles = {
            "#folders": Content("Dataset"),
            "#report": Content("What it holds"),
            "#strategies": Content.assemble("Strategies", (f"  {about}", "$quiet not bold")),
            "#settings": Content("Settings"),
        }
        # A rule without corners leaves its title no room of its own.
        room = "" if self.has_class("-wide") else " "
        for pane, title in titles.items():
            self.query_one(pane).border_title = Content.assemble(room, title, room)
