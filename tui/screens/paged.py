"""A screen of its own above Live: lines made anew from the newest snapshot, once a second."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, cast

from textual.app import ComposeResult
from textual.content import Content
from textual.screen import Screen

from tui import output
from tui.feed import Snapshot
from tui.widgets.keys import KeysLine
from tui.widgets.line import Line
from tui.widgets.lines import Lines

if TYPE_CHECKING:
    from tui.app import ResnetTuiApp


class Page(Lines):
    """Lines that only scroll."""

    has_cursor = False

    def __init__(self) -> None:
        super().__init__()
        self._lines: list[Content] = []

    @property
    def room(self) -> int:
        return self.scrollable_content_region.width

    def show(self, lines: list[Content]) -> None:
        """Keeps the place in sight; nothing is painted where nothing changed."""
        same = len(lines) == len(self._lines) and all(
            new.is_same(old) for new, old in zip(lines, self._lines, strict=True)
        )
        if not same:
            self._lines = lines
            self.set_count(len(lines))

    def line(self, number: int, width: int) -> Content:
        return self._lines[number]


class PagedScreen(Screen[None]):
    """What stands on the page is for the screens made from this one to say."""

    def compose(self) -> ComposeResult:
        yield Line(id="page-title")
        yield Page()
        yield KeysLine()

    DEFAULT_CSS = """
    PagedScreen Page {
        height: 1fr;
        margin: 0 1;
        scrollbar-gutter: stable;
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._painted: tuple[object, ...] = ()

    def on_mount(self) -> None:
        self.query_one(Page).focus()
        self.set_interval(0.25, self.paint)
        self.call_after_refresh(self.paint)

    def on_resize(self) -> None:
        self._painted = ()
        self.call_after_refresh(self.paint)

    def paint(self) -> None:
        """At most once a second, and not before the terminal took the last frame."""
        feed = cast("ResnetTuiApp", self.app).feed
        snapshot = feed.latest() if feed is not None else None
        page = self.query_one(Page)
        if snapshot is None or not page.room or output.backlog(self.app) > 1:
            return
        now = (int(time.time()), page.room)
        if now == self._painted:
            return
        self._painted = now
        title = self.query_one("#page-title", Line)
        title.show(self.title_of(snapshot, title.room))
        page.show(self.lines_of(snapshot, page.room))

    def title_of(self, snapshot: Snapshot, width: int) -> Content:
        """The first row of the screen."""
        raise NotImplementedError

    def lines_of(self, snapshot: Snapshot, width: int) -> list[Content]:
        """What stands on the page, in lines of at most ``width`` cells."""
        raise NotImplementedError

    def action_close(self) -> None:
        self.dismiss()
