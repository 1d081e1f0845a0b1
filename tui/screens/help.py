"""Help: the keys of the screen below, made from its bindings, so that none is ever missing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, NamedTuple

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.dom import DOMNode
from textual.screen import ModalScreen, Screen

from tui.widgets.keys import told_alone
from tui.widgets.lines import Lines


class Entry(NamedTuple):
    """One line: a group's title (no keys), or keys and what they do."""

    keys: str
    about: str


class HelpLines(Lines):
    """Scrolls through the entries."""

    has_cursor = False

    def __init__(self, entries: list[Entry]) -> None:
        super().__init__()
        self._entries = entries
        self._keys_width = max((len(each.keys) for each in entries), default=0)

    def on_mount(self) -> None:
        self.set_count(len(self._entries))

    def line(self, number: int, width: int) -> Content:
        entry = self._entries[number]
        if not entry.keys:
            return Content.styled(entry.about, "bold")
        return Content.assemble(
            ("  " + entry.keys.rjust(self._keys_width), "$footer-key-foreground"),
            "  ",
            entry.about,
        )


class HelpScreen(ModalScreen[None]):
    """Made while the screen it helps with is still on top."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark,backspace,escape,enter,q", "close", "close", show=False),
    ]

    DEFAULT_CSS = """
    HelpScreen {
        align: center middle;
        background: $background 60%;
    }
    HelpScreen > Vertical {
        width: 76;
        max-width: 94%;
        height: auto;
        max-height: 90%;
        padding: 0 1;
        background: $surface;
        border: round $primary;
        border-title-style: bold;
        border-title-color: $foreground;
        border-subtitle-color: $quiet;
    }
    HelpScreen HelpLines {
        height: auto;
        max-height: 100%;
        background: $surface;
        scrollbar-background: $surface;
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._entries = list(_entries(self.app.screen))

    def compose(self) -> ComposeResult:
        with Vertical() as panel:
            panel.border_title = "keys"
            panel.border_subtitle = "↑ ↓ scroll · Backspace closes"
            yield HelpLines(self._entries)

    def action_close(self) -> None:
        self.dismiss(None)


def _entries(screen: Screen[object]) -> Iterator[Entry]:
    """The keys of every pane of ``screen``, of the screen itself, and of everywhere."""
    groups: dict[str, dict[Entry, None]] = {}
    for node in (*screen.walk_children(with_self=False), screen, screen.app):
        for title, entries in _groups(node):
            groups.setdefault(title, {}).update(dict.fromkeys(entries))
    told: set[Entry] = set()
    for title, found in groups.items():
        # A screen may name a key of everywhere to have it among its own.
        fresh = [each for each in found if each not in told]
        told.update(fresh)
        yield Entry("", title)
        yield from fresh


def _groups(node: DOMNode) -> Iterator[tuple[str, list[Entry]]]:
    """The keys that we gave a node and what it is made from, each under its title.

    Textual's own, such as those that move about in a text, go without saying.
    """
    for made in type(node).__mro__:
        declared = made.__dict__.get("BINDINGS") if made.__module__.startswith("tui.") else None
        if declared:
            title = made.__dict__.get("BINDING_GROUP_TITLE")
            fallback = "this screen" if isinstance(node, Screen) else "everywhere"
            yield title or fallback, _lines(declared)


def _lines(declared: list[BindingType]) -> list[Entry]:
    """Bindings as lines; keys that do the same stand on one, and so do numbers."""
    keys: dict[tuple[str, str], list[str]] = {}
    for binding in Binding.make_bindings(declared):
        if not binding.description:
            continue
        name, about = told_alone(binding)
        action = binding.action
        if name.isdigit() and about.endswith(name):
            about, action = about.removesuffix(name) + "by its number", ""
        names = keys.setdefault((about, action), [])
        if name not in names:
            names.append(name)
    return [Entry(_together(names), about) for (about, _), names in keys.items()]


def _together(names: list[str]) -> str:
    """``1-9`` for nine numbers in a row, and as it is for anything else."""
    if len(names) > 2 and all(each.isdigit() for each in names):
        return f"{names[0]}-{names[-1]}"
    return " ".join(names)
