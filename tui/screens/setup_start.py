"""How Setup starts a training: what must be known first, what is asked, what is told."""

from __future__ import annotations

from functools import partial

from textual.widget import Widget

from engine.plan.machine import ANY
from tui import experiments, recent, setup_messages
from tui.background import in_background
from tui.readiness import Place, Readiness
from tui.screens import setup_words as words
from tui.screens.setup_layout import SetupLayout
from tui.screens.setup_space import lacking
from tui.widgets.folder_tree import FolderTree
from tui.widgets.settings_form import SettingsForm
from tui.widgets.strategy_list import StrategyList


class SetupStart(SetupLayout):
    """From Enter on the strategies to a training that runs, or to why it does not."""

    def __init__(self) -> None:
        super().__init__()
        self._start_wanted = False
        """Enter was pressed, and something is still to be found out."""
        self._checking = False
        self._lacking = ""
        """Why the disk has too little room for what is to be started."""
        self._told_start = False

    def on_screen_resume(self) -> None:
        if self._told_start and not self._starting():
            # It is under way, and was shown.
            self._told_start = False
            self._unsay()

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
            lacks = partial(
                lacking,
                parent,
                self.ticked_strategies(),
                self.draft.settings,
                ready.machine or ANY,
                len(ready.report.classes) if ready.report is not None else 0,
                ready.report.train_images if ready.report is not None else None,
            )
            in_background(
                self,
                lambda: setup_messages.StartChecked(experiments.running_here(parent), lacks()),
                "check",
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

    def on_start_checked(self, message: setup_messages.StartChecked) -> None:
        self._checking = False
        self._lacking = message.lacking
        if not message.running:
            self._start_with_room()
            return
        question = words.busy(message.running)
        self.app.push_screen(question, self._answered)

    def _answered(self, answer: str | None) -> None:
        if answer == "start":
            self._start_with_room()
        elif answer == "home":
            self.app.switch_mode("home")

    def _start_with_room(self) -> None:
        """Starts; where the disk has too little room, after a question."""

        def answered(answer: str | None) -> None:
            if answer == "start":
                self._start()

        if self._lacking:
            self.app.push_screen(words.no_room(self._lacking), answered)
        else:
            self._start()

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
