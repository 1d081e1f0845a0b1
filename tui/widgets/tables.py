"""A small table of text: titles, then rows, every column right-aligned. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content


def table(titles: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> list[Content]:
    """As many columns from the left as fit into ``width`` cells, behind two cells of margin.

    Where that takes too many cells, titles stand in two rows, and columns closer together.
    """
    heads = [list(titles)]
    if _needed(heads, rows, 2) > width:
        parted = [title.partition(" ") for title in titles]
        heads = [[first if rest else "" for first, _, rest in parted]]
        heads.append([rest or first for first, _, rest in parted])
    gap = 2 if _needed(heads, rows, 2) <= width else 1
    widths = _widths(heads, rows)
    shown = len(widths)
    while shown > 1 and 2 + sum(widths[:shown]) + gap * (shown - 1) > width:
        shown -= 1

    def line(cells: Sequence[str], style: str) -> Content:
        padded = [cell.rjust(each) for cell, each in zip(cells, widths, strict=True)]
        return Content.styled("  " + (" " * gap).join(padded[:shown]), style)

    return [line(each, "$quiet") for each in heads] + [line(each, "$foreground") for each in rows]


def _widths(heads: Sequence[Sequence[str]], rows: Sequence[Sequence[str]]) -> list[int]:
    return [max(map(len, column)) for column in zip(*heads, *rows, strict=True)]


def _needed(heads: Sequence[Sequence[str]], rows: Sequence[Sequence[str]], gap: int) -> int:
    widths = _widths(heads, rows)
    return 2 + sum(widths) + gap * (len(widths) - 1)
