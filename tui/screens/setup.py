"""Setup: choose a dataset, tick strategies, change a few settings, start."""

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

from engine.errors import DatasetError
from engine.plan.config import declarations
from engine.plan.dataset import Report
from engine.plan.machine import Machine
from engine.plan.strategies import STRATEGIES, availability
from engine.plan.text import clean
from engine.run.inspect import Inspection
from tui import experiments, messages, output, recent
from tui.background import in_background
from tui.draft import Draft, look_up
from tui.folders import list_folders
from tui.readiness import Place, Readiness
from tui.screens import setup_words as words
from tui.screens.setup_path import PathSearch
from tui.widgets.dataset_report import DatasetReport
from tui.widgets.folder_tree import FolderTree
from tui.widgets.keys import KeysLine
from tui.widgets.path_field import PathField
from tui.widgets.settings_form import SettingsForm
from tui.widgets.strategy_list import StrategyList

if TYPE_CHECKING:
    from tui.app import ResnetTuiApp

_POLL = 0.1
"""Seconds between two looks at an inspection that is under way."""


def probe() -> Machine:
    """What this machine can train on. Blocking, for seconds: for a thread."""
    from engine.run import host

    return host.probe()


class SetupScreen(Screen[None]):
    """Three panes side by side, or on a narrow terminal the dataset first and the rest after.

    Everything that may take a while - listing, inspecting, probing, looking up defaults - runs in
    threads or processes and answers with a message.
    """

    BINDING_GROUP_TITLE = "setup"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "pane(1)", "next pane", key_display="Tab"),
        Binding("shift+tab", "pane(-1)", "previous pane", show=False),
        Binding("slash", "path", "find folder", key_display="/"),
        Binding("backspace,escape", "back", "back", key_display="Backspace"),
        *(Binding(str(n), f"tick({n})", f"tick strategy {n}", show=False) for n in range(1, 10)),
    ]

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (150, "-wide")]  # noqa: RUF012 (as the base has it)

    CSS_PATH = "../setup.tcss"

    def __init__(self) -> None:
        super().__init__()
        start = self.dashboard.start
        self.draft = Draft(start.given)
        self.report: Report | None = None
        self.problem = ""
        """Why the chosen folder cannot be trained on."""
        self.machine: Machine | None = None
        self._inspection: Inspection | None = None
        self._inspected: tuple[Path, float, int] | None = None
        self._start_wanted = False
        self._checking = False
        self._told_start = False
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
            with Vertical(id="training"):
                with Vertical(id="strategies", classes="pane"):
                    yield StrategyList(STRATEGIES, start.strategies or ("single",))
                with Vertical(id="settings", classes="pane"):
                    yield SettingsForm()
        yield Static(id="notice")
        yield KeysLine()

    def on_mount(self) -> None:
        self.search = PathSearch(self.query_one(FolderTree), self.query_one(PathField))
        self._timer = self.set_interval(_POLL, self._poll, pause=True)
        self.query_one(DatasetReport).show_nothing()
        self.query_one(SettingsForm).show_fields(self.draft.fields())
        in_background(self, lambda: messages.RecentFound(tuple(recent.recent())), "recent")
        in_background(self, lambda: messages.MachineKnown(probe()), "probe")
        dataset = self.dashboard.start.dataset
        if dataset is not None:
            dataset = dataset.absolute()
            self._choose(dataset)
            self.query_one(FolderTree).go_to(dataset.parent, dataset)
            self._focus(self.query_one(StrategyList))
        else:
            self._look_up()
            self._focus(self.query_one(FolderTree))
        self._show_titles()
        self._tell()

    def on_screen_resume(self) -> None:
        if self._told_start and not self._starting():
            # It is under way, and was shown.
            self._told_start = False
            self._unsay()

    def on_unmount(self) -> None:
        if self._inspection is not None:
            self._inspection.cancel()

    # Panes

    def action_pane(self, by: int) -> None:
        panes = self._panes()
        at = next((n for n, pane in enumerate(panes) if pane.has_focus), -1 if by > 0 else 0)
        self._focus(panes[(at + by) % len(panes)])

    def action_back(self) -> None:
        """Takes back what waits, then a filter, then goes to the pane before."""
        if self._start_wanted:
            self._start_wanted = False
            self._unsay()
        elif self.search.active:
            self.search.clear()
        else:
            self._focus(self.query_one(FolderTree))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if not self.is_mounted:
            return True
        if action == "path":
            return not self.query_one(PathField).has_focus
        if action == "back":
            tree = self.query_one(FolderTree)
            return not tree.has_focus or self._start_wanted or self.search.active
        return True

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
        pane.focus()

    def on_resize(self) -> None:
        self.call_after_refresh(self._show_titles)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        for pane in self.query(".pane"):
            pane.set_class(pane in event.widget.ancestors, "-focused")
        if self._said_at not in (event.widget, self):
            self._unsay()

    # Choosing a dataset

    def on_folder_wanted(self, message: messages.FolderWanted) -> None:
        folder = message.folder
        in_background(self, lambda: messages.FoldersListed(list_folders(folder)), "folders")

    def on_folders_listed(self, message: messages.FoldersListed) -> None:
        self.query_one(FolderTree).show_listing(message.listing)
        self.search.listed()

    def on_recent_found(self, message: messages.RecentFound) -> None:
        self.query_one(FolderTree).show_recent(message.folders)

    def action_path(self) -> None:
        self._focus(self.query_one(FolderTree))
        self.search.begin()

    def on_path_typed(self, message: messages.PathTyped) -> None:
        if not message.done:
            self.search.typed(message.text)
            return
        folder = self.search.chosen(message.text)
        if folder is None:
            self._say(f"No folder here has {clean(message.text)!r} in its name.", error=True)
            return
        self.search.end()
        self._choose(folder)

    def on_path_left(self, message: messages.PathLeft) -> None:
        self.search.end(keep=message.keep)

    def on_folder_chosen(self, message: messages.FolderChosen) -> None:
        if message.folder == self.draft.dataset and not self.problem:
            # Enter a second time: on with it.
            self._focus(self.query_one(StrategyList))
        else:
            self._choose(message.folder)

    def _choose(self, folder: Path) -> None:
        self.draft.choose(folder)
        self.report = None
        self.problem = ""
        self._start_wanted = False
        self._inspected = None
        self.query_one(FolderTree).show_chosen(folder)
        self.query_one(DatasetReport).show_waiting(clean(folder.name or str(folder)))
        self._inspect()
        self._look_up()
        self._unsay()

    def _inspect(self) -> None:
        """Looks at the chosen folder, anew where what is held out has changed."""
        folder, settings = self.draft.dataset, self.draft.settings
        if folder is None:
            return
        wanted = (folder, settings.val_fraction, settings.seed)
        if wanted == self._inspected:
            return
        if self._inspection is not None:
            self._inspection.cancel()
        self._inspected = wanted
        self._inspection = Inspection(*wanted)
        self._inspection.start()
        self._timer.resume()

    def _poll(self) -> None:
        inspection = self._inspection
        if inspection is None or output.backlog(self.app) > 1:
            return
        done = inspection.done
        found = inspection.poll()
        shown = self.query_one(DatasetReport)
        if isinstance(found, DatasetError):
            self.report, self.problem = None, str(found)
            shown.show_error(self.problem)
            self.query_one(FolderTree).show_chosen(self.draft.dataset, bad=True)
        elif found is not None and found is not self.report:
            self.report = found
            shown.show_report(found, words.held_out(self.draft.settings))
        if done:
            self._timer.pause()
        self._tell()
        self._start_if_wanted()

    # Settings

    def _look_up(self) -> None:
        question = self.draft.question()
        in_background(self, lambda: look_up(*question), "defaults")

    def on_defaults_resolved(self, message: messages.DefaultsResolved) -> None:
        if not self.draft.take(message):
            if message.field:
                self._look_up()
            return
        self.query_one(SettingsForm).show_fields(self.draft.fields())
        self._inspect()
        self._tell()
        self._start_if_wanted()

    def on_setting_edited(self, message: messages.SettingEdited) -> None:
        self._unsay()
        self.draft.edit(message.name, message.text)
        self.query_one(SettingsForm).show_fields(self.draft.fields())
        self._look_up()

    def on_setting_visited(self, message: messages.SettingVisited) -> None:
        declared = declarations().get(message.name)
        self._say(declared.about if declared else "")

    # Strategies and the start

    def action_tick(self, number: int) -> None:
        self.query_one(StrategyList).tick(number - 1)

    def on_strategies_ticked(self) -> None:
        self._unsay()

    def on_tick_refused(self, message: messages.TickRefused) -> None:
        self._say(f"{message.strategy} cannot run here: {message.reason}", error=True)

    def on_machine_known(self, message: messages.MachineKnown) -> None:
        self.machine = message.machine
        self.query_one(StrategyList).show_availability(
            {each.name: availability(each, message.machine) for each in STRATEGIES}
        )
        self._show_titles()
        self._tell()
        self._start_if_wanted()

    def on_start_wanted(self) -> None:
        # A second Enter while the first is being carried out asks for nothing more.
        self._start_wanted = not (self._checking or self._starting())
        self._start_if_wanted()

    def _start_if_wanted(self) -> None:
        """Starts what Enter asked for as soon as all that must be known is."""
        if not self._start_wanted:
            return
        ready = self._readiness()
        if (found := ready.hindrance()) is not None:
            sentence, place = found
            pane = self._pane(place)
            self._start_wanted = False
            self._focus(pane)
            self._say(sentence, error=True, at=pane)
        elif waiting := ready.waiting():
            self._say(f"{waiting} … it starts by itself; Backspace takes it back")
            self.refresh_bindings()
        else:
            self._start_wanted = False
            self._checking = True
            parent = self.dashboard.start.experiments_directory
            in_background(
                self, lambda: messages.StartChecked(experiments.running_here(parent)), "check"
            )

    def _readiness(self) -> Readiness:
        return Readiness(
            draft=self.draft,
            report=self.report,
            problem=self.problem,
            machine=self.machine,
            ticked=self.query_one(StrategyList).ticked,
        )

    def _pane(self, place: Place) -> Widget:
        """The pane in which something is put right."""
        form = self.query_one(SettingsForm)
        if place == "settings" and self.draft.wrong is not None:
            form.go_to(self.draft.wrong[0])
        panes: dict[Place, Widget] = {
            "dataset": self.query_one(FolderTree),
            "strategies": self.query_one(StrategyList),
            "settings": form.lines,
        }
        return panes[place]

    def on_start_checked(self, message: messages.StartChecked) -> None:
        self._checking = False
        if not message.running:
            self._start()
            return
        question = words.busy(message.running)
        self.app.push_screen(question, self._answered)

    def _answered(self, answer: str | None) -> None:
        if answer == "start":
            self._start()
        elif answer == "home":
            self.app.switch_mode("home")

    def _start(self) -> None:
        dataset = self.draft.dataset
        if dataset is None or self._starting():
            return
        in_background(self, lambda: recent.remember(dataset), "remember")
        ticked = self.query_one(StrategyList).ticked
        self.dashboard.start_experiment(dataset, self.draft.settings, self.draft.sources(), ticked)
        self._say("starting …")
        self._told_start = True

    def start_refused(self, sentence: str) -> None:
        """Says why nothing was started, until something is done about it."""
        self._told_start = False
        self._say(sentence, error=True, at=self)

    def _starting(self) -> bool:
        """Whether an experiment is being started already: Enter was pressed twice."""
        return any(each.group == "start" and not each.is_finished for each in self.app.workers)

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
        title = words.title(self.draft.dataset, self.report, self.problem)
        self.query_one("#title", Static).update(title, layout=False)
        strategies = self.query_one(StrategyList)
        says = Content("")
        if self.draft.dataset is not None and not self.problem:
            says = words.summary(self.draft.settings, strategies.ticked, strategies.has_focus)
        self.query_one("#notice", Static).update(self._said or says)

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
