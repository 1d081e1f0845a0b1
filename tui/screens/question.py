"""A question over whatever is shown: a few answers, each with a key of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.reactive import reactive
from textual.screen import ModalScreen
from textual.widgets import Static

CANCEL = "cancel"
"""What a question answers when it is closed without an answer."""


class Choice(NamedTuple):
    """One answer: the key that gives it, what the question then answers, and its line."""

    key: str
    id: str
    label: str


class Question(ModalScreen[str]):
    """Asks, and is dismissed with the id of the answer (``cancel`` when it is closed).

    ``default`` is the id of the answer that Enter gives; without one it is the last, so that a
    hurried Enter does the least. ``text`` is plain text or content, never markup.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,left,shift+tab", "move(-1)", "previous answer", show=False),
        Binding("down,right,tab", "move(1)", "next answer", show=False),
        Binding("enter", "answer", "choose"),
        Binding("backspace,escape,q,ctrl+c,ctrl+q", "close", "cancel"),
    ]

    DEFAULT_CSS = """
    Question {
        align: center middle;
        background: $background 60%;
    }
    Question > Vertical {
        width: 68;
        max-width: 94%;
        height: auto;
        max-height: 90%;
        padding: 1 2;
        background: $surface;
        border: round $primary;
        border-title-color: $text;
        border-title-style: bold;
    }
    Question .question--text {
        height: auto;
        margin-bottom: 1;
    }
    Question .question--choices {
        height: auto;
    }
    Question .question--hint {
        margin-top: 1;
        color: $quiet;
        height: auto;
    }
    """

    picked: reactive[int] = reactive(0)

    def __init__(
        self,
        title: str,
        text: str | Content,
        choices: Sequence[tuple[str, str, str]],
        default: str | None = None,
    ) -> None:
        super().__init__()
        self._heading = title
        self._body = Content(text) if isinstance(text, str) else text
        self.choices = tuple(Choice(*each) for each in choices)
        ids = [each.id for each in self.choices]
        # Not through the attribute's watcher: nothing is there to be painted yet.
        self.set_reactive(
            Question.picked, ids.index(default) if default in ids else len(self.choices) - 1
        )

    def compose(self) -> ComposeResult:
        with Vertical() as panel:
            panel.border_title = Content(self._heading)
            if self._body.plain:
                yield Static(self._body, classes="question--text")
            yield Static(self._lines(), classes="question--choices")
            yield Static(
                Content("↑ ↓ and Enter, or the key · Backspace cancels"), classes="question--hint"
            )

    def on_key(self, event: events.Key) -> None:
        """Gives the answer whose key this is; keys of answers go before the bindings."""
        for choice in self.choices:
            if choice.key in (event.key, event.character):
                event.stop()
                event.prevent_default()
                self.dismiss(choice.id)
                return

    def action_move(self, by: int) -> None:
        self.picked = (self.picked + by) % len(self.choices)

    def action_answer(self) -> None:
        self.dismiss(self.choices[self.picked].id)

    def action_close(self) -> None:
        self.dismiss(CANCEL)

    def watch_picked(self) -> None:
        for shown in self.query(".question--choices").results(Static):
            shown.update(self._lines(), layout=False)

    def _lines(self) -> Content:
        return Content("\n").join(
            self._line(choice, number == self.picked) for number, choice in enumerate(self.choices)
        )

    @staticmethod
    def _line(choice: Choice, picked: bool) -> Content:
        return Content.assemble(
            ("▌ " if picked else "  ", "$primary"),
            (f"{choice.key}  ", "bold $accent"),
            (choice.label, "bold $text" if picked else "$quiet"),
        )
