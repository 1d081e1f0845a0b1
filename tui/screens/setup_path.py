"""Finding a folder by typing: a filter on what the tree shows, or a path from anywhere."""

from __future__ import annotations

import os
from pathlib import Path

from engine.plan.text import clean
from tui.widgets.folder_tree import FolderTree
from tui.widgets.path_field import PathField


class PathSearch:
    """Moves the tree along with what is typed.

    Everything up to the last slash is a folder, which becomes the top of the tree; the rest filters
    its sub-folders. Without a slash it filters those of the folder that was on top.
    """

    def __init__(self, tree: FolderTree, field: PathField) -> None:
        self._tree = tree
        self._field = field
        self._home = tree.root
        self._needle = ""

    @property
    def active(self) -> bool:
        """Whether the tree is filtered."""
        return bool(self._needle)

    def begin(self) -> None:
        self._home = self._tree.root
        self._field.value = ""
        self._field.focus()

    def typed(self, text: str) -> None:
        base, self._needle = self._split(text)
        if base != self._tree.root:
            self._tree.go_to(base)
        self._tree.filter(self._needle)
        self._offer(text)

    def listed(self) -> None:
        """Sub-folders arrived: there may be more to complete with."""
        if self._field.has_focus:
            self._offer(self._field.value)

    def chosen(self, text: str) -> Path | None:
        """The folder that Enter means: the one spelled out, else the one found; else ``None``."""
        base, needle = self._split(text)
        if not needle:
            return base
        listing = self._tree.listing(base)
        if listing is None or listing.problem or needle in listing.names:
            return base / needle
        row = self._tree.row
        if row is not None and row.kind == "folder" and row.path.parent == base:
            return row.path
        return next(iter(self._tree.matches()), None)

    def end(self, keep: bool = False) -> None:
        """Leaves the field; ``keep`` the filter, for the arrows to walk on what was found."""
        self._tree.focus()
        if not keep:
            self.clear()

    def clear(self) -> None:
        self._needle = ""
        self._tree.filter("")
        self._field.value = ""

    def _split(self, text: str) -> tuple[Path, str]:
        folder, slash, needle = text.rpartition("/")
        if text in ("~", "..", "."):
            folder, slash, needle = text, "/", ""
        if not slash:
            return self._home, needle
        typed = Path(os.path.expanduser(folder + "/"))  # noqa: PTH111 (~nobody is left as it is)
        return Path(os.path.normpath(self._home / typed)), needle

    def _offer(self, text: str) -> None:
        base, needle = self._split(text)
        listing = self._tree.listing(base)
        if listing is None:
            self._field.offer(())
            return
        prefix = text[: len(text) - len(needle)] or ""
        hidden = needle.startswith(".")
        self._field.offer(
            tuple(
                f"{prefix}{name}/"
                for name in listing.names
                if name.startswith(needle)
                and (hidden or not name.startswith("."))
                and clean(name) == name
            )
        )
