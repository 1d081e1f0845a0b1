"""Choosing the dataset in Setup: folders that are listed, found by typing, and looked into."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import DatasetError
from engine.plan.text import clean
from tui import output, setup_messages
from tui.background import in_background
from tui.draft import look_up
from tui.folders import list_folders
from tui.screens import setup_words as words
from tui.screens.setup_path import PathSearch
from tui.screens.setup_start import SetupStart
from tui.widgets.dataset_report import DatasetReport
from tui.widgets.folder_tree import FolderTree
from tui.widgets.path_field import PathField
from tui.widgets.strategy_list import StrategyList

if TYPE_CHECKING:
    from engine.run.inspect import Inspection

_POLL = 0.1
"""Seconds between two looks at an inspection that is under way."""


class SetupDataset(SetupStart):
    """Has folders listed and inspected in threads and processes, and shows what they hold."""

    def __init__(self) -> None:
        super().__init__()
        self._inspection: Inspection | None = None
        self._inspected: tuple[Path, float, int] | None = None

    def begin(self) -> None:
        """Once its parts are there: nothing is chosen yet."""
        self.search = PathSearch(self.query_one(FolderTree), self.query_one(PathField))
        self._timer = self.set_interval(_POLL, self._poll, pause=True)
        self.query_one(DatasetReport).show_nothing()

    def on_unmount(self) -> None:
        if self._inspection is not None:
            self._inspection.cancel()

    # Choosing

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

    # Looking into it

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

    def _look_up(self) -> None:
        """Asks what the settings become by what is chosen."""
        question = self.draft.question()
        in_background(self, lambda: look_up(*question), "defaults")
