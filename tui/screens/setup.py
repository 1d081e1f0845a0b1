"""Setup: choose a dataset, tick strategies, change a few settings, start."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from engine.plan.machine import Machine
from tui import recent, setup_messages
from tui.background import in_background
from tui.screens import setup_words as words
from tui.screens.setup_dataset import SetupDataset
from tui.widgets.folder_tree import FolderTree
from tui.widgets.path_field import PathField
from tui.widgets.settings_form import SettingsForm
from tui.widgets.strategy_list import StrategyList

if TYPE_CHECKING:
    pass


def probe() -> Machine:
    """What this machine can train on. Blocking, for seconds: for a thread."""
    from engine.run import host

    return host.probe()


class SetupScreen(SetupDataset):
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

    def on_mount(self) -> None:
        self.begin()
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

    # Settings

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
