"""Text that is painted again only when it changed, without a new layout."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.widget import Widget


class Line(Widget):
    """A few rows of content, cut where they do not fit. What comes in is never markup."""

    DEFAULT_CSS = """
    Line {
        height: 1;
        width: 1fr;
        text-wrap: nowrap;
        text-overflow: ellipsis;
        padding: 0 1;
    }
    """

    ALLOW_SELECT = False

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._content = Content("")

    @property
    def room(self) -> int:
        """Cells across."""
        return self.content_size.width

    def show(self, content: Content, *, layout: bool = False) -> None:
        """``layout`` where the number of rows may have changed, and the height follows it."""
        if not content.is_same(self._content):
            self._content = content
            self.refresh(layout=layout)

    def render(self) -> Content:
        return self._content


def heading(title: str, width: int, remark: str = "") -> Content:
    """``Title ─────────── remark``: the head of a pane, like those of the charts."""
    end = f" {remark}" if remark else ""
    rule = max(0, width - len(title) - len(end) - 1)
    return Content.assemble(
        (title, "bold $foreground"), (" " + "─" * rule, "$faint"), (end, "$quiet")
    )


def bar(share: float | None, width: int, style: str) -> Content:
    """A bar of ``width`` cells; empty where the share (0..1) is unknown."""
    full = 0 if share is None else round(min(max(share, 0.0), 1.0) * width)
    if share is not None and share >= 0.01:
        # A little is not nothing.
        full = max(full, 1)
    return Content.assemble(("━" * full, style), ("─" * (width - full), "$faint"))


_BLOCKS = " ▁▂▃▄▅▆▇█"


def sparkline(values: Sequence[float | None], width: int, top: float) -> str:
    """The newest ``width`` values as blocks; ``top`` fills a cell, unknown ones stay free."""
    shown = values[-width:] if width > 0 else ()
    levels = (None if each is None else int(7.999 * max(each, 0.0) / top) for each in shown)
    text = "".join(" " if each is None else _BLOCKS[1 + min(7, each)] for each in levels)
    return text.rjust(width)
