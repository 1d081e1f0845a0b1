"""The footer: the keys that work now, in one line that always fits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from textual.binding import Binding
from textual.content import Content
from textual.dom import DOMNode
from textual.screen import Screen
from textual.visual import VisualType
from textual.widget import Widget

_LAST = ("help", "leave")
"""Actions that stay at the end, however narrow it is."""
_GAP = 2
_EVERY = 1.0
"""Seconds between two looks at what the keys do now; one takes 0.1 ms (2 ms in Compare)."""


class Key(NamedTuple):
    """A key, or several that do the same, with what that is; ``action`` without its arguments."""

    names: str
    about: str
    action: str

    @property
    def width(self) -> int:
        return len(self.names) + 1 + len(self.about) + _GAP


class KeysLine(Widget):
    """Lists the shown bindings of its screen, the screen's own before the application's.

    The actions in the screen's ``FIRST_KEYS`` come before all others, in that order. Where they do
    not all fit, those in its ``SHORT_WORDS`` are told by these. What does not fit even so is left
    out from the end; help and quitting stay.

    Who has a binding may have another word for what it does now: its ``word_for(action)``, where
    that is not empty.
    """

    DEFAULT_CSS = """
    KeysLine {
        dock: bottom;
        height: 1;
        background: $panel;
        color: $quiet;
        padding: 0 1;
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._painted: list[Key] = []

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._bindings_changed)
        self.set_interval(_EVERY, self._look_again)

    def _bindings_changed(self, _screen: Screen[object]) -> None:
        self.look()

    def _look_again(self) -> None:
        # What a key does may hang on what others do, and on the disk: nobody tells of that.
        if self.screen.is_current:
            self.look()

    def look(self) -> None:
        """Paints itself anew where keys, or what they do, are others than those that it shows."""
        if self._keys() != self._painted:
            self.refresh()

    def render(self) -> VisualType:
        self._painted = self._keys()
        return Content("  ").join(
            Content.assemble((key.names, "bold $footer-key-foreground"), " ", (key.about, "$quiet"))
            for key in fitting(self._painted, self._first, self._short, self.size.width)
        )

    @property
    def _first(self) -> Sequence[str]:
        return getattr(self.screen, "FIRST_KEYS", ())

    @property
    def _short(self) -> Mapping[str, str]:
        return getattr(self.screen, "SHORT_WORDS", {})

    def _keys(self) -> list[Key]:
        """Keys and what they do; keys that do the same stand together."""
        groups: dict[tuple[str, str], list[str]] = {}
        for key, active in self.screen.active_bindings.items():
            binding = active.binding
            if binding.show and active.enabled and binding.description:
                name = binding.key_display or key_name(key)
                about = _word(active.node, binding)
                names = groups.setdefault((about, binding.action), [])
                if name not in names:
                    names.append(name)
        places = {action: place for place, action in enumerate(self._first)}
        keys = [
            Key("/".join(names), about, action.split("(")[0])
            for (about, action), names in groups.items()
        ]
        return sorted(keys, key=lambda each: places.get(each.action, len(places)))


def _word(node: DOMNode, binding: Binding) -> str:
    word_for = getattr(node, "word_for", None)
    return (word_for(binding.action) if word_for is not None else "") or binding.description


def fitting(
    keys: Sequence[Key], first: Sequence[str], short: Mapping[str, str], width: int
) -> list[Key]:
    """Those that ``width`` cells hold."""
    if _room(keys, [each for each in keys if each.action in first], width) < 0:
        keys = [each._replace(about=short.get(each.action, each.about)) for each in keys]
    shown: list[Key] = []
    for each in keys:
        if each.action not in _LAST:
            if _room(keys, [*shown, each], width) < 0:
                break
            shown.append(each)
    return shown + [each for each in keys if each.action in _LAST]


def _room(keys: Sequence[Key], shown: Sequence[Key], width: int) -> int:
    """The cells that are left beside ``shown`` and what stays at the end."""
    last = [each for each in keys if each.action in _LAST and each not in shown]
    return width + _GAP - sum(each.width for each in (*shown, *last))


KEY_NAMES = {
    "left": "←",
    "right": "→",
    "up": "↑",
    "down": "↓",
    "enter": "Enter",
    "space": "Space",
    "tab": "Tab",
    "backspace": "Backspace",
    "slash": "/",
    "shift+tab": "Shift+Tab",
    "escape": "Esc",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "home": "Home",
    "end": "End",
    "delete": "Del",
    "question_mark": "?",
    "colon": ":",
    "plus": "+",
    "minus": "-",
    "equals_sign": "=",
}
"""Keys as people call them, where Textual's word is another."""


def key_name(key: str) -> str:
    """What stands on the screen for a key: ``Ctrl+L`` for ``ctrl+l``."""
    if key in KEY_NAMES:
        return KEY_NAMES[key]
    modifier, plus, rest = key.rpartition("+")
    return f"{modifier.capitalize()}+{KEY_NAMES.get(rest, rest.upper())}" if plus else key


def told_alone(binding: Binding) -> tuple[str, str]:
    """A binding's key and what it does where every key has a line of its own.

    In the footer one binding may stand for others as well (``← → cursor``); its tooltip then says
    what it does itself.
    """
    if binding.tooltip:
        return key_name(binding.key), binding.tooltip
    return binding.key_display or key_name(binding.key), binding.description
