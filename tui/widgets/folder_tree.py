"""Recent folders and a tree of directories, to choose a dataset from with the keyboard.

The tree lists nothing itself: it asks for a folder's sub-folders with ``FolderWanted`` and gets
them through ``show_listing``, so that a slow disk never holds the screen. A row is chosen by its
path, never by what is shown of it: names from outside may hold anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content

from engine.plan.text import clean
from tui import setup_messages
from tui.widgets.folder_rows import Kind, Row, drawn, names
from tui.widgets.lines import Lines

if TYPE_CHECKING:
    from tui.folders import Listing

SHOWN = 1000
"""How many sub-folders of one folder are shown; ``/`` finds the others."""


class FolderTree(Lines):
    """Right and left open and close a folder; left on the top one goes to its parent."""

    BINDING_GROUP_TITLE = "folders"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "choose"),
        Binding("right", "open", "open, close", key_display="→ ←", tooltip="open"),
        Binding("left", "close", "close", show=False),
        Binding("space", "toggle_folder", "open or close", show=False),
    ]

    def __init__(self, root: Path) -> None:
        super().__init__()
        self.root = root
        self.chosen: Path | None = None
        self._bad = False
        self._recent: tuple[Path, ...] = ()
        self._listings: dict[Path, Listing] = {}
        self._wanted: set[Path] = set()
        self._open: set[Path] = {root}
        self._needle = ""
        self._rows: list[Row] = []
        self._awaited: Path | None = None
        """Where the cursor goes once that folder is listed."""

    def on_mount(self) -> None:
        self._want(self.root)
        self._make_rows()

    # What the screen tells

    def show_recent(self, folders: Sequence[Path]) -> None:
        """The folders used last, above the tree."""
        self._recent = tuple(folders)
        self._make_rows()

    def show_listing(self, listing: Listing) -> None:
        """The answer to ``FolderWanted``."""
        self._wanted.discard(listing.folder)
        self._listings[listing.folder] = listing
        self._make_rows()
        if self._awaited is not None and self._awaited.parent == listing.folder:
            self._put_cursor(self._awaited)
            self._awaited = None

    def show_chosen(self, folder: Path | None, *, bad: bool = False) -> None:
        """Marks the chosen folder; ``bad``: as one that cannot be trained on."""
        if (folder, bad) != (self.chosen, self._bad):
            self.chosen, self._bad = folder, bad
            self.refresh()

    def go_to(self, root: Path, cursor: Path | None = None) -> None:
        """Makes ``root`` the top of the tree, with the cursor on ``cursor`` once it is listed."""
        if root != self.root:
            self.root = root
            self._needle = ""
            self._open.add(root)
        self._want(root)
        self._awaited = cursor
        self._make_rows(root)

    def filter(self, needle: str) -> None:
        """Shows those sub-folders of the top one that have ``needle`` in their name."""
        if needle != self._needle:
            self._needle = needle
            self._make_rows()
            matches = self.matches()
            if needle and matches:
                self._put_cursor(matches[0])

    def matches(self) -> list[Path]:
        """The sub-folders of the top folder that pass the filter."""
        return [self.root / name for name in names(self._listings.get(self.root), self._needle)]

    def listing(self, folder: Path) -> Listing | None:
        return self._listings.get(folder)

    # Keys

    def action_step(self, by: int) -> None:
        self._awaited = None
        super().action_step(by)

    @property
    def row(self) -> Row | None:
        return self._rows[self.cursor] if self.cursor < len(self._rows) else None

    def action_choose(self) -> None:
        if self.row and self.row.kind in ("recent", "root", "folder"):
            self.post_message(setup_messages.FolderChosen(self.row.path))

    def action_open(self) -> None:
        row = self.row
        if row is None or row.kind not in ("root", "folder"):
            return
        if row.path not in self._open:
            self._open.add(row.path)
            self._want(row.path)
            self._make_rows()
        elif self.cursor + 1 < self.count and self._rows[self.cursor + 1].depth > row.depth:
            self.action_step(1)

    def action_close(self) -> None:
        row = self.row
        if row is None or row.kind not in ("root", "folder"):
            return
        if row.kind == "root":
            parent = row.path.parent
            if parent != row.path:
                self.go_to(parent, row.path)
        elif row.path in self._open:
            self._open.discard(row.path)
            self._make_rows()
        else:
            self._put_cursor(row.path.parent)

    def action_toggle_folder(self) -> None:
        if self.row and self.row.kind == "folder" and self.row.path in self._open:
            self.action_close()
        else:
            self.action_open()

    # Rows

    def can_stop_at(self, number: int) -> bool:
        return super().can_stop_at(number) and self._rows[number].kind not in ("heading", "note")

    def line(self, number: int, width: int) -> Content:
        row = self._rows[number]
        return drawn(
            row,
            width,
            here=number == self.cursor and self.has_focus,
            is_open=row.path in self._open,
            chosen=self.chosen,
            bad=self._bad,
        )

    def _make_rows(self, cursor: Path | None = None) -> None:
        """Lists the rows anew; the cursor stays on the row it was on, or goes to ``cursor``."""
        before = self.row
        self._rows = list(self._recent_rows()) + list(self._folder_rows(self.root, 0))
        self.set_count(len(self._rows))
        if cursor is not None:
            self._put_cursor(cursor)
        elif before is not None:
            self._put_cursor(before.path, before.kind)
        else:
            self._put_cursor(self.root)

    def _put_cursor(self, path: Path, kind: Kind | None = None) -> None:
        wanted = (kind,) if kind else ("folder", "root")
        for number, row in enumerate(self._rows):
            if row.path == path and row.kind in wanted:
                self.cursor = number
                return

    def _recent_rows(self) -> Iterator[Row]:
        if self._recent and not self._needle:
            yield Row("heading", self.root, text="recent")
            for path in self._recent:
                yield Row("recent", path)
            yield Row("heading", self.root, text="folders")

    def _folder_rows(self, folder: Path, depth: int) -> Iterator[Row]:
        yield Row("folder" if depth else "root", folder, depth)
        if folder not in self._open:
            return
        listing = self._listings.get(folder)
        if listing is None:
            yield Row("note", folder, depth + 1, "reading …")
            return
        if listing.problem:
            yield Row("note", folder, depth + 1, clean(listing.problem))
            return
        found = names(listing, self._needle if not depth else "")
        for name in found[:SHOWN]:
            yield from self._folder_rows(folder / name, depth + 1)
        if not found:
            yield Row("note", folder, depth + 1, "no match" if self._needle else "no folders")
        elif len(found) > SHOWN:
            left = f"{len(found) - SHOWN:,} more: / finds them"
            yield Row("note", folder, depth + 1, left)

    def _want(self, folder: Path) -> None:
        """Asks for a folder's sub-folders; anew each time, what was known stays until then."""
        if folder not in self._wanted:
            self._wanted.add(folder)
            self.post_message(setup_messages.FolderWanted(folder))
