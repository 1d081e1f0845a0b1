"""The dashboard: its modes, keys and theme. What a screen shows is the screen's business."""

from __future__ import annotations

import asyncio
import gc
import signal
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.screen import Screen

from tui import messages, output
from tui.background import in_background
from tui.leaving import EXIT_INTERRUPTED, ask_before_leaving, end_by_force_after
from tui.plain import REMEDY, Ascii
from tui.start import End, Start
from tui.theme import DARK

if TYPE_CHECKING:
    from engine.plan.config import Settings
    from tui.feed import Feed


def _setup() -> Screen[None]:
    from tui.screens.setup import SetupScreen

    return SetupScreen()


def _live() -> Screen[None]:
    from tui.screens.live import LiveScreen

    return LiveScreen()


def _compare() -> Screen[None]:
    from tui.screens.compare import CompareScreen

    return CompareScreen()


def _home() -> Screen[None]:
    from tui.screens.home import HomeScreen

    return HomeScreen()


class ResnetTuiApp(App[End], inherit_bindings=False):
    """Modes are screens that stay as they were left; each is imported when it is first shown."""

    TITLE = "resnet-tui"
    CSS_PATH = "app.tcss"
    MODES: ClassVar[dict[str, object]] = {  # type: ignore[assignment]
        "setup": _setup,
        "live": _live,
        "compare": _compare,
        "home": _home,
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "show('setup')", "setup"),
        Binding("v", "show('live')", "live"),
        Binding("c", "show('compare')", "compare"),
        Binding("h", "show('home')", "home"),
        Binding("question_mark", "help", "help", key_display="?"),
        Binding("colon", "command_palette", "all commands", key_display=":"),
        Binding("ctrl+p", "command_palette", "all commands", show=False),
        Binding("q", "leave", "quit"),
        Binding("ctrl+c,ctrl+q", "leave", "quit", show=False, priority=True),
        Binding("ctrl+l", "repaint", "repaint", show=False),
        Binding("ctrl+z", "suspend_process", "suspend", show=False),
    ]

    def __init__(self, start: Start) -> None:
        super().__init__()
        self.start = start
        self.feed: Feed | None = None
        """Follows the experiment that is shown; ``None`` before there is one."""
        self._title = ""
        self._ending = False
        self._terminal = output.Terminal()
        self._begun: set[Path] = set()
        self._wanted: Path | None = None
        """The experiment that was last asked for; its feed may still be on its way."""
        self.ascii = not output.is_utf8()
        if self.ascii:
            self._filters.append(Ascii())
        self.register_theme(DARK)
        self.theme = DARK.name

    # Beginning and end

    def on_mount(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP):
            try:
                loop.add_signal_handler(number, self._end_now)
            except (NotImplementedError, RuntimeError, ValueError):
                # Only a main thread's loop can; elsewhere (tests) nobody sends signals.
                break
        if not self.is_headless:
            output.save_title(self)
            self.set_interval(2.0, self._check_terminal)
        if self.ascii:
            self.tell(REMEDY, severity="warning")
        self.call_after_refresh(_collect_again)
        # Back in the foreground the terminal shows whatever was there meanwhile.
        self.app_resume_signal.subscribe(self, lambda _: self.action_repaint())
        if self.start.experiment is not None:
            self.show_experiment(self.start.experiment)
        else:
            self.switch_mode("setup" if self.start.dataset is not None else "home")

    def on_unmount(self) -> None:
        output.restore_title(self)
        if self.feed is not None:
            self.feed.stop()
            # For the note of what was seen; a file system that hangs is not waited for.
            self.feed.join(0.5)

    def _check_terminal(self) -> None:
        if output.terminal_is_gone():
            self._end_now()

    def _end_now(self) -> None:
        """A signal, or a terminal that is gone: end without questions; training goes on."""
        if self._ending:
            return
        self._ending = True
        end_by_force_after(5.0, self._terminal)
        from tui import session

        running = session.still_training(self._experiments())
        self.exit(End(EXIT_INTERRUPTED, session.farewell(running)))

    # What the screens ask for

    def show_experiment(self, directory: Path) -> None:
        """Follows that experiment from now on and shows it; a sentence where it cannot.

        Its plan is read in a thread: a file system may hang. Ends in ``FeedOpened`` or
        ``OpenRefused``.
        """
        if self.feed is not None and self.feed.directory == directory:
            self.switch_mode("live")
            return

        self._wanted = directory

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
        self.feed = message.feed
        self.feed.start()
        self.switch_mode("live")

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

    def tell(self, text: str, *, severity: str = "information") -> None:
        """A toast. ``text`` is shown as it is, never read as markup."""
        self.notify(text, severity=severity, markup=False)  # type: ignore[arg-type]

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
            self.tell(f"{message.strategy} failed: {message.reason}", severity="error")
        else:
            self.tell(f"{message.strategy} is {message.state}")

    def on_experiment_finished(self, message: messages.ExperimentFinished) -> None:
        self.bell()
        self.tell(f"{message.name}: {message.state}")

    def on_title_changed(self, message: messages.TitleChanged) -> None:
        if message.title != self._title:
            self._title = message.title
            output.set_title(self, message.title)

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "show":
            (mode,) = parameters
            if mode == self.current_mode or len(self.screen_stack) > 1:
                return False
            return self.feed is not None or mode in ("setup", "home")
        return True

    def action_show(self, mode: str) -> None:
        self.switch_mode(mode)

    def action_help(self) -> None:
        from tui.screens.help import HelpScreen

        self.push_screen(HelpScreen())

    def action_repaint(self) -> None:
        self.screen.refresh(layout=True)

    async def action_leave(self) -> None:
        """Closes what is open on top; else asks if something trains; else ends."""
        top = self.screen
        if len(self.screen_stack) > 1:
            if hasattr(top, "action_close"):
                top.action_close()
            else:
                self.pop_screen()
            return
        from tui import session

        running = await asyncio.to_thread(session.still_training, self._experiments())
        if not running:
            self.exit(End())
        elif len(self.screen_stack) == 1:
            ask_before_leaving(self, running)

    def _experiments(self) -> set[Path]:
        """The experiments of this session: those begun here, and the one shown."""
        return self._begun | ({self.feed.directory} if self.feed is not None else set())

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """The palette lists what the keys do here, with their keys."""
        from tui.widgets.keys import told_alone

        seen = {"command_palette", "app.focus_next", "app.focus_previous", "screen.copy_text"}
        for active in screen.active_bindings.values():
            binding = active.binding
            if not active.enabled or not binding.description or binding.action in seen:
                continue
            seen.add(binding.action)
            shown, about = told_alone(binding)

            async def call(action: str = binding.action, where: object = active.node) -> None:
                await self.run_action(action, where)  # type: ignore[arg-type]

            yield SystemCommand(about.capitalize(), f"key {shown}", call)


def run_dashboard(start: Start) -> int:
    """Shows the dashboard until the user leaves; returns the exit code."""
    app = ResnetTuiApp(start)
    end = app.run(mouse=start.mouse) or End(app.return_code or 0)
    if end.message:
        try:
            print(end.message)
        except OSError:
            # The terminal is gone; nobody is there to read it.
            return end.code
    return end.code


def _collect_again() -> None:
    """What is there after the first paint stays; looking through it again would be for nothing."""
    gc.freeze()
    gc.enable()
