"""A row of the tree of folders: what it stands for, and how it looks. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from textual.content import Content

from engine.plan.text import clean

if TYPE_CHECKING:
    from tui.folders import Listing

Kind = Literal["heading", "recent", "root", "folder", "note"]


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the tree. ``path`` is what it stands for, or what a note is about."""

    kind: Kind
    path: Path
    depth: int = 0
    text: str = ""


def drawn(
    row: Row, width: int, *, here: bool, is_open: bool, chosen: Path | None, bad: bool
) -> Content:
    """``here``: under the cursor; ``bad``: the chosen folder cannot be trained on."""
    pointer = ("▌" if here else " ", "$primary")
    if row.kind == "heading":
        return Content.assemble(" ", (row.text, "$quiet"))
    indent = " " + "  " * row.depth
    if row.kind == "note":
        return Content.assemble(indent, "  ", (row.text, "$quiet italic"))
    colour = "" if row.path != chosen else "$error" if bad else "$success"
    mark = ("✗ " if bad else "● ", colour) if colour else ("", "")
    if row.kind == "recent":
        name = clean(row.path.name or str(row.path))
        where = _short(row.path.parent, max(0, width - len(name) - 6))
        return Content.assemble(pointer, "  ", mark, name, ("  " + where, "$quiet"))
    arrow = ("▾ " if is_open else "▸ ", "$quiet")
    if row.kind == "root":
        return Content.assemble(pointer, arrow, mark, (_short(row.path, width - 5), "bold"))
    return Content.assemble(pointer, indent[1:], arrow, mark, (clean(row.path.name), colour))


def names(listing: Listing | None, needle: str) -> list[str]:
    """Names of the sub-folders to show; hidden ones only where a dot is asked for."""
    if listing is None:
        return []
    hidden = needle.startswith(".")
    needle = needle.casefold()
    return [
        name
        for name, folded in zip(listing.names, listing.folded, strict=True)
        if needle in folded and (hidden or not name.startswith("."))
    ]


def _short(path: Path, room: int) -> str:
    """A path cut at its beginning: its end tells more."""
    text = clean(str(path))
    return text if len(text) <= room else "…" + text[len(text) - max(0, room - 1) :]
