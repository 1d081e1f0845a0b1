"""A scrolling list of lines with a cursor: what the lists of Setup, Home and help have in common.

Only the lines in sight are made, so that a list of 100,000 costs as much as one of 20.
"""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Size
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.visual import Visual


class Lines(ScrollView, can_focus=True):
    """Shows ``line(0)`` to ``line(count - 1)``. A list without a cursor only scrolls.

    A line is content, never markup, and is cut with an ellipsis where it does not fit.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "step(-1)", "line up", show=False),
        Binding("down", "step(1)", "line down", show=False),
        Binding("pageup", "page(-1)", "page up", show=False),
        Binding("pagedown", "page(1)", "page down", show=False),
        Binding("home", "jump(0)", "first line", show=False),
        Binding("end", "jump(-1)", "last line", show=False),
    ]

    COMPONENT_CLASSES: ClassVar[set[str]] = {"lines--cursor"}

    DEFAULT_CSS = """
    Lines {
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-size-vertical: 1;
        scrollbar-background: $background;
        scrollbar-color: $faint;
        scrollbar-color-hover: $quiet;
        scrollbar-color-active: $quiet;
        background: $background;
    }
    Lines > .lines--cursor {
        background: $panel;
    }
    Lines:focus > .lines--cursor {
        background: $primary 25%;
    }
    """

    BINDING_GROUP_TITLE = "lists"

    has_cursor = True

    cursor: reactive[int] = reactive(0, repaint=False)

    def __init__(self) -> None:
        super().__init__()
        self._count = 0

    # For the lists made from this one

    def line(self, number: int, width: int) -> Content:
        """What stands on a line, for a room of ``width`` cells."""
        raise NotImplementedError

    def can_stop_at(self, number: int) -> bool:
        """Whether the cursor may stand there; headings and remarks say no."""
        return 0 <= number < self._count

    @property
    def count(self) -> int:
        return self._count

    def set_count(self, count: int) -> None:
        """Tells how many lines there are, and repaints all that is in sight."""
        self._count = count
        size = Size(max(1, self.scrollable_content_region.width), count)
        if size.height != self.virtual_size.height:
            # A list that is as high as its lines needs its parent to lay it out again.
            self.virtual_size = size
            self.refresh(layout=self.styles.is_auto_height)
        else:
            self.refresh()
        self.cursor = self.cursor  # brings it back where the list got shorter

    # The cursor

    def validate_cursor(self, cursor: int) -> int:
        if not self._count:
            return 0
        cursor = min(max(cursor, 0), self._count - 1)
        if self.can_stop_at(cursor):
            return cursor
        after = next((n for n in range(cursor, self._count) if self.can_stop_at(n)), None)
        before = next((n for n in range(cursor, -1, -1) if self.can_stop_at(n)), None)
        return after if after is not None else before or 0

    def watch_cursor(self, old: int, new: int) -> None:
        self.refresh_line(old)
        self.refresh_line(new)
        self.scroll_to_line(new)

    def scroll_to_line(self, number: int) -> None:
        """Scrolls as little as needed for the line to be in sight."""
        height = self.scrollable_content_region.height
        if not height:
            return
        top = round(self.scroll_y)
        # A heading above the first and a remark under the last come into sight with them.
        first, last = number, number
        while first > 0 and not self.can_stop_at(first - 1):
            first -= 1
        while last + 1 < self._count and not self.can_stop_at(last + 1):
            last += 1
        if first < top:
            self.scroll_to(y=first, animate=False)
        elif last >= top + height:
            self.scroll_to(y=min(number, last - height + 1), animate=False)

    def action_step(self, by: int) -> None:
        if not self.has_cursor:
            self.scroll_relative(y=by, animate=False)
            return
        number = self.cursor + by
        while 0 <= number < self._count and not self.can_stop_at(number):
            number += by
        if 0 <= number < self._count:
            self.cursor = number

    def action_page(self, by: int) -> None:
        height = max(1, self.scrollable_content_region.height - 1)
        if self.has_cursor:
            self.cursor = self.cursor + by * height
        else:
            self.scroll_relative(y=by * height, animate=False)

    def action_jump(self, number: int) -> None:
        last = max(0, self._count - 1)
        if self.has_cursor:
            self.cursor = number if number >= 0 else last
        else:
            self.scroll_to(y=number if number >= 0 else last, animate=False)

    # Drawing

    def on_resize(self) -> None:
        self.virtual_size = Size(max(1, self.scrollable_content_region.width), self._count)
        if self.has_cursor:
            self.scroll_to_line(self.cursor)

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        number = y + round(self.scroll_y)
        if number >= self._count or width <= 0:
            return Strip.blank(width, self.rich_style)
        at_cursor = self.has_cursor and number == self.cursor
        style = self.get_visual_style("lines--cursor") if at_cursor else self.visual_style
        content = self.line(number, width).truncate(width, ellipsis=True, pad=True)
        return Visual.to_strips(self, content, width, 1, style, pad=True)[0]
