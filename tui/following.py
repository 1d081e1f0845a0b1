"""Which experiment the dashboard follows: opening one, starting one, and what is told of it."""

from __future__ import annotations

from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING

from textual.message import Message

from tui import messages
from tui.background import in_background
from tui.start import Start
from tui.telling import Telling

if TYPE_CHECKING:
    from engine.plan.config import Settings
    from tui.feed import Feed


_REASON = 120
"""Characters of a reason that a toast tells."""


class Following(Telling, inherit_bindings=False):
    """What the screens ask of the application, and how it answers."""

    def __init__(self, start: Start) -> None:
        super().__init__()
        self.start = start
        self.feed: Feed | None = None
        """Follows the experiment that is shown; ``None`` before there is one."""
        self.risks: tuple[str, ...] = ()
        """What would end a training that is left running; asked once there is one to follow."""
        self._begun: set[Path] = set()
        self._wanted: Path | None = None
        """The experiment that was last asked for; its feed may still be on its way."""

    def experiments(self) -> set[Path]:
        """The experiments of this session: those begun here, and the one shown."""
        return self._begun | ({self.feed.directory} if self.feed is not None else set())

    def show_experiment(self, directory: Path) -> None:
        """Follows that experiment from now on and shows it; a sentence where it cannot.

        Its plan is read in a thread: a file system may hang. Ends in ``FeedOpened`` or
        ``OpenRefused``.
        """
        self._wanted = directory
        if self.feed is not None and self.feed.directory == directory:
            self.switch_mode("live")
            return

        def work() -> Message:
            from engine.errors import ResnetTuiError
            from tui.feed import Feed

            try:
                return messages.FeedOpened(Feed(directory))
            except ResnetTuiError as error:
                return messages.OpenRefused(str(error))

        in_background(self, work, "open")

    def on_feed_opened(self, message: messages.FeedOpened) -> None:
        if message.feed.directory != self._wanted:
            # Another one was asked for meanwhile.
            return
        if self.feed is not None:
            self.feed.stop()
        else:
            in_background(self, _risks, "risks")
        self.feed = message.feed
        self.feed.start()
        self.switch_mode("live")

    def on_risks_known(self, message: messages.RisksKnown) -> None:
        self.risks = message.risks

    def on_open_refused(self, message: messages.OpenRefused) -> None:
        self.tell(message.sentence, severity="error")
        if self.current_mode not in self.MODES:
            self.switch_mode("home")

    def show_run(self, run: str) -> None:
        """Goes to Live and keeps to that run of the shown experiment."""
        from tui.screens.live import LiveScreen

        self.switch_mode("live")
        if isinstance(self.screen, LiveScreen):
            self.screen.pin(run)

    def start_experiment(
        self,
        dataset: Path,
        settings: Settings,
        sources: dict[str, str],
        strategies: tuple[str, ...],
    ) -> None:
        """Creates an experiment and its supervisor in a thread, then shows it.

        Ends in ``ExperimentStarted`` or ``StartRefused``.
        """

        def work() -> None:
            from engine.errors import ResnetTuiError
            from tui import session

            parent = self.start.experiments_directory
            try:
                directory = session.begin(parent, dataset, settings, sources, strategies)
            except ResnetTuiError as error:
                self.post_message(messages.StartRefused(str(error)))
            else:
                self.post_message(messages.ExperimentStarted(directory))

        self.run_worker(work, thread=True, exclusive=True, group="start")

    def copy(self, text: str, what: str) -> None:
        """Puts ``text`` where it can be pasted, and says that ``what`` is there."""
        from tui.clipboard import copied_by_tmux

        in_background(
            self, lambda: messages.Copied(text, what, by_tmux=copied_by_tmux(text)), "copy"
        )

    def on_copied(self, message: messages.Copied) -> None:
        if not message.by_tmux:
            self.copy_to_clipboard(message.text)
        self.tell(f"copied {message.what}")

    def on_experiment_started(self, message: messages.ExperimentStarted) -> None:
        self._begun.add(message.directory)
        self.show_experiment(message.directory)

    def on_start_refused(self, message: messages.StartRefused) -> None:
        from tui.screens.setup import SetupScreen

        if isinstance(self.screen, SetupScreen):
            self.screen.start_refused(message.sentence)
        else:
            self.tell(message.sentence, severity="error")

    def on_run_finished(self, message: messages.RunFinished) -> None:
        if message.state == "failed":
            # In full it stands where the run is looked at: long toasts hide the screen.
            reason = shorten(message.reason, _REASON, placeholder=" …")
            self.tell(f"{message.strategy} failed: {reason}", severity="error")
        else:
            self.tell(f"{message.strategy} is {message.state}")

    def on_experiment_finished(self, message: messages.ExperimentFinished) -> None:
        self.bell()
        self.tell(f"{message.name}: {message.state}")


def _risks() -> messages.RisksKnown:
    from engine.run import detached

    return messages.RisksKnown(tuple(detached.risks()))
