"""For terminals without UTF-8: every character becomes one of ASCII on its way out."""

from __future__ import annotations

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

REMEDY = (
    "This locale is not UTF-8, so everything is drawn in ASCII. "
    "LC_ALL=C.UTF-8 (and tmux -u) shows the real thing."
)

_SIGNS = {
    **dict.fromkeys("─┄╌▔▁", "-"),
    # The parts of a bar differ from each other.
    **dict.fromkeys("━═", "="),
    **dict(zip("╍░▒▓╱", "~~+%/", strict=True)),
    **dict.fromkeys("│┃║▌▐┊", "|"),
    **dict.fromkeys("┌┐└┘├┤┬┴┼╭╮╰╯", "+"),
    **dict(zip("▂▃▄▅▆▇█", "..::##@", strict=True)),
    **dict(zip("●◌◔◒✓✗■◆▲▴▼▾▸▶◂◀", "*oo~+x#o^^vv>><<", strict=True)),
    **dict(zip("–—…·←→↑↓×°≤≠", "--~.<>^vxo<#", strict=True)),
    "\u2800": " ",
}
_TABLE = str.maketrans(_SIGNS)


def plain(text: str) -> str:
    """``text`` in ASCII, as wide as it was; what has no likeness becomes ``?``."""
    if text.isascii():
        return text
    return "".join(
        each if each.isascii() else "?" * cell_len(each) for each in text.translate(_TABLE)
    )


class Ascii(LineFilter):
    """Put last among the filters of an application."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [Segment(plain(text), style, control) for text, style, control in segments]
