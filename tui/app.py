"""The dashboard: its modes, keys and theme. What a screen shows is the screen's business."""

from __future__ import annotations

import asyncio
import gc
import signal
from collections.abc import Iterable
from typing import ClassVar

from textual.app import SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen, Screen

from tui import messages, output
from tui.going_on import GoingOn
from tui.leaving import EXIT_INTERRUPTED, ask_before_leaving, end_by_force_after
from tui.plain import REMEDY, Ascii
from tui.sizing import TerminalSize
from tui.start import End, Start
from tui.theme import DARK

_LEAVE = "close what is open on top, else quit"


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


class ResnetTuiApp(GoingOn, inherit_bindings=False):
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
        Binding("u", "queue", "queue", tooltip="the queue: move, drop and add runs"),
        Binding("A", "add", "add", tooltip="add a strategy to the experiment"),
        Binding("S", "save", "save", show=False, tooltip="save a checkpoint now"),
        Binding("question_mark", "help", "help", key_display="?"),
        Binding("colon", "command_palette", "all commands", key_display=":"),
        Binding("ctrl+p", "command_palette", "all commands", show=False),
        Binding("q", "leave", "quit", tooltip=_LEAVE),
        Binding("ctrl+c,ctrl+q", "leave", "quit", show=False, priority=True, tooltip=_LEAVE),
        Binding("ctrl+l", "repaint", "repaint", show=False),
        Binding("ctrl+z", "suspend_process", "suspend", show=False),
    ]

    def __init__(self, start: Start) -> None:
        if start.experiment is None:
            # Begun there, not switched to: a blank screen before it would be painted for nothing.
            self.DEFAULT_MODE = "home" if start.dataset is None else "setup"  # type: ignore[misc]
        super().__init__(start)
        self._title = ""
        self._ending = False
        self._terminal = output.Terminal()
        self._size_of_terminal = TerminalSize(self)
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

    def on_unmount(self) -> None:
        output.restore_title(self)
        if self.feed is not None:
            self.feed.stop()
            # For the note of what was seen; a file system that hangs is not waited for.
            self.feed.join(0.5)

    def _check_terminal(self) -> None:
        if output.terminal_is_gone():
            self._end_now()
        else:
            self._size_of_terminal.look()

    def on_resize(self) -> None:
        self._size_of_terminal.changed()

    def _end_now(self) -> None:
        """A signal, or a terminal that is gone: end without questions; training goes on."""
        if self._ending:
            return
        self._ending = True
        end_by_force_after(5.0, self._terminal)
        from tui import session

        running = session.still_training(self.experiments())
        self.exit(End(EXIT_INTERRUPTED, session.farewell(running)))

    def on_title_changed(self, message: messages.TitleChanged) -> None:
        if message.title != self._title:
            self._title = message.title
            output.set_title(self, message.title)

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "show":
            (mode,) = parameters
            if isinstance(self.screen, ModalScreen):
                return False
            if mode == self.current_mode and len(self.screen_stack) == 1:
                return False
            return self.feed is not None or mode in ("setup", "home")
        if action == "add":
            return self.can_add()
        if action == "save":
            return self.can_save()
        if action == "queue":
            return self.can_add() and len(self.screen_stack) == 1
        return True

    def word_for(self, action: str) -> str:
        """What a key does now, where that is not what its binding says; else empty."""
        return "close" if action == "leave" and len(self.screen_stack) > 1 else ""

    def action_show(self, mode: str) -> None:
        # A page above it, as the queue or the log, would still lie there when one comes back.
        while len(self.screen_stack) > 1:
            self.pop_screen()
        if mode != self.current_mode:
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

        running = await asyncio.to_thread(session.still_training, self.experiments())
        if not running:
            self.exit(End())
        elif len(self.screen_stack) == 1:
            ask_before_leaving(self, running)

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
    if not gc.isenabled():
        gc.freeze()
        gc.enable()
