"""The footer: the keys that work now, in one line that always fits."""

from __future__ import annotations

from textual.binding import Binding
from textual.content import Content
from textual.screen import Screen
from textual.visual import VisualType
from textual.widget import Widget


class KeysLine(Widget):
    """Lists the shown bindings of its screen, the screen's own before the application's.

    The actions in the screen's ``FIRST_KEYS`` come before all others, in that order. What does not
    fit is left out from the end; help and quitting stay.
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

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._bindings_changed)

    def _bindings_changed(self, _screen: Screen[object]) -> None:
        self.refresh()

    def render(self) -> VisualType:
        keys = self._keys()
        kept = [each for each in keys if each[1] in ("help", "quit")]
        others = [each for each in keys if each not in kept]
        room = self.size.width - sum(_width(each) for each in kept)
        shown = []
        for each in others:
            room -= _width(each)
            if room < 0:
                break
            shown.append(each)
        return Content("  ").join(
            Content.assemble((key, "bold $footer-key-foreground"), " ", (about, "$quiet"))
            for key, about in shown + kept
        )

    def _keys(self) -> list[tuple[str, str]]:
        """Keys and what they do; keys that do the same stand together."""
        groups: dict[tuple[str, str], list[str]] = {}
        for key, active in self.screen.active_bindings.items():
            binding = active.binding
            if binding.show and active.enabled and binding.description:
                name = binding.key_display or key_name(key)
                names = groups.setdefault((binding.description, binding.action), [])
                if name not in names:
                    names.append(name)
        first = getattr(self.screen, "FIRST_KEYS", ())
        places = {action: place for place, action in enumerate(first)}
        ordered = sorted(groups, key=lambda each: places.get(each[1].split("(")[0], len(places)))
        return [("/".join(groups[each]), each[0]) for each in ordered]


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


def _width(each: tuple[str, str]) -> int:
    return len(each[0]) + 1 + len(each[1]) + 2


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
