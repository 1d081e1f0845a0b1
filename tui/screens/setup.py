"""Setup: choose a dataset, tick strategies, change a few settings, start."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from engine.errors import DatasetError
from engine.plan.machine import Machine
from engine.plan.text import clean
from tui import output, recent, setup_messages
from tui.background import in_background
from tui.draft import look_up
from tui.folders import list_folders
from tui.screens import setup_words as words
from tui.screens.setup_path import PathSearch
from tui.screens.setup_start import SetupStart
from tui.widgets.dataset_report import DatasetReport
from tui.widgets.folder_tree import FolderTree
from tui.widgets.path_field import PathField
from tui.widgets.settings_form import SettingsForm
from tui.widgets.strategy_list import StrategyList

if TYPE_CHECKING:
    from engine.run.inspect import Inspection

_POLL = 0.1
"""Seconds between two looks at an inspection that is under way."""


def probe() -> Machine:
    """What this machine can train on. Blocking, for seconds: for a thread."""
    from engine.run import host

    return host.probe()


class SetupScreen(SetupStart):
    """What its keys do.

    Everything that may take a while - listing, inspecting, probing, looking up defaults - runs in
    threads or processes and answers with a message.
    """

    BINDING_GROUP_TITLE = "setup"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "path", "find folder", key_display="/"),
        Binding("backspace,escape", "back", "back", key_display="Backspace"),
        Binding("l", "learning_rate", "learning rate", tooltip="the learning rate, drawn"),
        Binding("i", "network", "network", tooltip="the network, layer by layer"),
        *(Binding(str(n), f"tick({n})", f"tick strategy {n}", show=False) for n in range(1, 10)),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._inspection: Inspection | None = None
        self._inspected: tuple[Path, float, int] | None = None

    def on_mount(self) -> None:
        self.search = PathSearch(self.query_one(FolderTree), self.query_one(PathField))
        self._timer = self.set_interval(_POLL, self._poll, pause=True)
        self.query_one(DatasetReport).show_nothing()
        self.query_one(SettingsForm).show_fields(self.draft.fields())
        in_background(self, lambda: setup_messages.RecentFound(tuple(recent.recent())), "recent")
        in_background(self, self._free, "free")
        # After the first paint: importing what asks would delay it.
        self.call_after_refresh(
            in_background, self, lambda: setup_messages.MachineKnown(probe()), "probe"
        )
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

    def on_unmount(self) -> None:
        if self._inspection is not None:
            self._inspection.cancel()

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

    # Choosing a dataset

    def on_folder_wanted(self, message: setup_messages.FolderWanted) -> None:
        folder = message.folder
        in_background(self, lambda: setup_messages.FoldersListed(list_folders(folder)), "folders")

    def on_folders_listed(self, message: setup_messages.FoldersListed) -> None:
        self.query_one(FolderTree).show_listing(message.listing)
        self.search.listed()

    def on_recent_found(self, message: setup_messages.RecentFound) -> None:
        self.query_one(FolderTree).show_recent(message.folders)

    def action_path(self) -> None:
        self._focus(self.query_one(FolderTree))
        self.search.begin()

    def on_path_typed(self, message: setup_messages.PathTyped) -> None:
        if not message.done:
            self.search.typed(message.text)
            return
        folder = self.search.chosen(message.text)
        if folder is None:
            self._say(f"No folder here has {clean(message.text)!r} in its name.", error=True)
            return
        self.search.end()
        self._choose(folder)

    def on_path_left(self, message: setup_messages.PathLeft) -> None:
        self.search.end(keep=message.keep)

    def on_folder_chosen(self, message: setup_messages.FolderChosen) -> None:
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
        from engine.run.inspect import Inspection

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
            self._judge()
        if done:
            self._timer.pause()
        self._tell()
        self._start_if_wanted()

    # Settings

    def _look_up(self) -> None:
        question = self.draft.question()
        in_background(self, lambda: look_up(*question), "defaults")

    def on_defaults_resolved(self, message: setup_messages.DefaultsResolved) -> None:
        if not self.draft.take(message):
            if message.field:
                self._look_up()
            return
        self.query_one(SettingsForm).show_fields(self.draft.fields())
        self._judge()
        self._inspect()
        self._tell()
        self._start_if_wanted()

    def on_setting_edited(self, message: setup_messages.SettingEdited) -> None:
        self._unsay()
        self.draft.edit(message.name, message.text)
        self.query_one(SettingsForm).show_fields(self.draft.fields())
        if message.name == "recipe":
            self._say(words.setting("recipe", message.text or ""))
        self._look_up()

    def on_setting_visited(self, message: setup_messages.SettingVisited) -> None:
        self._say(words.setting(message.name, self.draft.settings.recipe))

    def action_learning_rate(self) -> None:
        from tui.screens.setup_pages import LearningRateScreen

        images = self.report.train_images if self.report is not None else None
        shown = LearningRateScreen(self.draft.settings, images, self.dashboard.ascii)
        self.app.push_screen(shown)

    def action_network(self) -> None:
        from tui.screens.setup_pages import NetworkScreen

        self.app.push_screen(NetworkScreen(self.draft.settings, self.report))

    # Strategies

    def action_tick(self, number: int) -> None:
        self.query_one(StrategyList).tick(number - 1)

    def on_strategies_ticked(self) -> None:
        self._unsay()

    def on_strategy_visited(self) -> None:
        self._tell()

    def on_tick_refused(self, message: setup_messages.TickRefused) -> None:
        refused = "" if message.reason.startswith("cannot ") else "cannot run here: "
        self._say(f"{message.strategy} {refused}{message.reason}", error=True)

    def _free(self) -> setup_messages.FreeKnown:
        from engine.run.disk import free_bytes

        return setup_messages.FreeKnown(free_bytes(self.dashboard.start.experiments_directory))

    def on_free_known(self, message: setup_messages.FreeKnown) -> None:
        self.free = message.free
        self._tell()

    def on_machine_known(self, message: setup_messages.MachineKnown) -> None:
        self.machine = message.machine
        self._judge()
        self._show_titles()
        self._tell()
        self._start_if_wanted()
