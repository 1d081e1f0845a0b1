"""Adding a strategy to the experiment that is shown: which there are, which cannot run, and why."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from engine.errors import ResnetTuiError
from tui import messages
from tui.background import in_background
from tui.widgets.add_list import AddList
from tui.widgets.keys import KeysLine


class AddScreen(ModalScreen[str]):
    """Is dismissed with the name of a strategy, or nothing."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("backspace,escape,q,ctrl+c,ctrl+q", "close", "cancel", key_display="Backspace"),
    ]

    DEFAULT_CSS = """
    AddScreen {
        align: center middle;
        background: $background 60%;
    }
    AddScreen > Vertical {
        width: 96;
        max-width: 94%;
        height: auto;
        max-height: 90%;
        padding: 1 2;
        background: $surface;
        border: round $primary;
        border-title-color: $text;
        border-title-style: bold;
    }
    AddScreen AddList {
        height: auto;
        max-height: 14;
        background: $surface;
        scrollbar-background: $surface;
    }
    AddScreen #about {
        height: 3;
        margin-top: 1;
    }
    """

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self._directory = directory
        self._judged = False

    def compose(self) -> ComposeResult:
        with Vertical() as panel:
            panel.border_title = "Add a strategy"
            yield AddList()
            yield Static("reading …", id="about")
        yield KeysLine()

    def on_mount(self) -> None:
        directory = self._directory

        def work(judged: bool) -> messages.AddableFound:
            from tui import session

            look = session.can_be_added if judged else session.not_there
            try:
                return messages.AddableFound(look(directory), judged)
            except ResnetTuiError as error:
                return messages.AddableFound((), judged, str(error))

        in_background(self, lambda: work(judged=False), "lacking")
        in_background(self, lambda: work(judged=True), "addable")

    def on_addable_found(self, message: messages.AddableFound) -> None:
        if self._judged and not message.judged:
            return
        self._judged = message.judged
        self.query_one(Vertical).border_subtitle = "" if self._judged else "looking at this machine"
        listed = self.query_one(AddList)
        listed.show_found(message.found)
        listed.display = bool(message.found)
        if message.found:
            listed.focus()
            self.on_strategy_pointed()
        else:
            self._say(message.problem or "Every strategy is in this experiment.")

    def on_strategy_pointed(self) -> None:
        """Tells of the one under the cursor in full."""
        chosen = self.query_one(AddList).strategy
        if chosen is None:
            return
        if chosen.possible:
            remark = f" ({chosen.reason})" if chosen.reason else ""
            self._say(f"{chosen.explanation}{remark}")
        else:
            self._say(f"{chosen.name} cannot be added: {chosen.reason}", "$warning")

    def on_strategy_wanted(self, message: messages.StrategyWanted) -> None:
        if message.strategy.possible:
            self.dismiss(message.strategy.name)
        else:
            self.app.bell()

    def action_close(self) -> None:
        self.dismiss("")

    def _say(self, text: str, style: str = "$quiet") -> None:
        self.query_one("#about", Static).update(Content.styled(text, style))
