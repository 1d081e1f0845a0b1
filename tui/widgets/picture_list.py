"""Images by class, to be walked with the arrow keys."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import groupby
from typing import ClassVar, NamedTuple

from textual.binding import Binding, BindingType
from textual.content import Content

from engine.plan.text import clean
from tui import judge_messages
from tui.widgets.lines import Lines


class Named(NamedTuple):
    """An image: its path as the file system has it, and where it stands in the list."""

    path: str
    group: str
    """The class, or the folder that was typed; cleaned."""
    truth: str | None = None
    """The class that it is known to be of."""


class _Row(NamedTuple):
    image: Named | None
    """``None``: the heading of a group."""
    group: str
    size: int = 0


class PictureList(Lines):
    """Headings, and below each its images; the cursor stands on images only."""

    BINDING_GROUP_TITLE = "images"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right", "group(1)", "class", key_display="← →", tooltip="the next class"),
        Binding("left", "group(-1)", "the class before", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._all: tuple[Named, ...] = ()
        self._rows: list[_Row] = []
        self._right: dict[str, bool] = {}
        self._needle = ""

    @property
    def image(self) -> Named | None:
        """The one under the cursor."""
        return self._rows[self.cursor].image if self.cursor < len(self._rows) else None

    @property
    def shown(self) -> int:
        """How many pass the filter."""
        return sum(row.image is not None for row in self._rows)

    def show_images(self, images: Sequence[Named]) -> None:
        """All there are, in their order: those of a group follow each other."""
        self._all = tuple(images)
        self._make_rows()

    def add(self, images: Sequence[Named]) -> None:
        """More of them, in front; the cursor goes to the first."""
        new = {each.path for each in images}
        self._needle = ""
        self._all = (*images, *(each for each in self._all if each.path not in new))
        self._make_rows()
        self.cursor = 1
        self._tell()

    def filter(self, needle: str) -> None:
        """Shows images with ``needle`` in their class or file name."""
        if needle != self._needle:
            self._needle = needle
            self._make_rows()

    def mark(self, path: str, right: bool) -> None:
        """Whether the network was right about an image, where its class is known."""
        self._right[path] = right
        self.refresh()

    def _make_rows(self) -> None:
        before = self.image
        needle = self._needle.casefold()
        kept = [
            each
            for each in self._all
            if needle in each.group.casefold()
            or needle in clean(os.path.basename(each.path)).casefold()  # noqa: PTH119 (50,000)
        ]
        rows = []
        for group, members in groupby(kept, lambda each: each.group):
            listed = list(members)
            rows.append(_Row(None, group, len(listed)))
            rows += [_Row(each, group) for each in listed]
        self._rows = rows
        self.set_count(len(rows))
        places = (n for n, row in enumerate(rows) if before is not None and row.image == before)
        self.cursor = next(places, 1 if rows else 0)
        if self.image != before:
            self._tell()

    # Walking

    def watch_cursor(self, old: int, new: int) -> None:
        super().watch_cursor(old, new)
        if old != new:
            self._tell()

    def _tell(self) -> None:
        if self.image is not None:
            self.post_message(judge_messages.PictureVisited(self.image))

    def can_stop_at(self, number: int) -> bool:
        return super().can_stop_at(number) and self._rows[number].image is not None

    def action_group(self, by: int) -> None:
        """To the first image of the next class, or of the one before."""
        heads = [n for n, row in enumerate(self._rows) if row.image is None]
        here = max((n for n in heads if n < self.cursor), default=0)
        wanted = heads.index(here) + by if here in heads else 0
        if 0 <= wanted < len(heads):
            self.cursor = heads[wanted] + 1
            self.scroll_to(y=heads[wanted], animate=False)

    # Drawing

    def line(self, number: int, width: int) -> Content:
        row = self._rows[number]
        if row.image is None:
            count = f"  {row.size:,}"
            # Of a path its end tells more.
            room = width - len(count)
            group = row.group if len(row.group) <= room else "…" + row.group[1 - room :]
            return Content.assemble((group, "bold $foreground"), (count, "$quiet"))
        right = self._right.get(row.image.path)
        mark = {None: ("  ", ""), True: ("✓ ", "$success"), False: ("✗ ", "$error")}[right]
        here = number == self.cursor
        name = clean(os.path.basename(row.image.path))  # noqa: PTH119 (at every paint)
        return Content.assemble(("▌" if here else " ", "$primary"), mark, name)
