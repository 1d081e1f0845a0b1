"""Fitting words into cells: whole pieces, whole words. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from textual.content import Content


def joined(pieces: Sequence[Content], width: int, gap: str = "  ") -> Content:
    """The first pieces that fit into ``width`` cells together."""
    line = Content("")
    for piece in pieces:
        longer = Content.assemble(line, gap, piece) if line.plain else piece
        if longer.cell_length > width:
            break
        line = longer
    return line


def flowed(pieces: Sequence[Content], width: int, gap: str = "  ") -> list[Content]:
    """The pieces in as many lines as they need; those that fit into no line are left out."""
    lines: list[Content] = []
    for piece in pieces:
        longer = Content.assemble(lines[-1], gap, piece) if lines else piece
        if lines and longer.cell_length <= width:
            lines[-1] = longer
        elif piece.cell_length <= width:
            lines.append(piece)
    return lines


def at_word(text: str, width: int) -> str:
    """``text`` in at most ``width`` characters; where it is longer, its first words and ``…``."""
    if len(text) <= width:
        return text
    room = max(0, width - 2)
    kept = text[: room + 1].rpartition(" ")[0] or text[:room]
    return (kept.rstrip(" ,·:;") + " …")[-width:] if width > 0 else ""


def in_middle(text: str, width: int) -> str:
    """``text`` in at most ``width`` characters; where it is longer, its two ends around ``…``: of
    names that begin alike the ends tell them apart."""
    if len(text) <= width:
        return text
    room = max(0, width - 1)
    first = room // 2
    return (text[:first] + "…" + text[len(text) - (room - first) :])[: max(0, width)]


def wrapped(text: str, width: int, indent: str = "") -> list[str]:
    """``text`` in lines of at most ``width`` characters, all but the first with ``indent``."""
    return textwrap.wrap(text, max(8, width), subsequent_indent=indent) or [""]
