"""A small table of text: titles, then rows, every column right-aligned. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content


def table(
    titles: Sequence[str], rows: Sequence[Sequence[str]], width: int, gap: int = 2
) -> list[Content]:
    """As many columns from the left as fit into ``width`` cells, behind two cells of margin."""
    widths = [max(map(len, column)) for column in zip(titles, *rows, strict=True)]
    room, shown = width - 2, 0
    for each in widths:
        room -= each + (gap if shown else 0)
        if room < 0:
            break
        shown += 1
    between = " " * gap

    def line(cells: Sequence[str], style: str) -> Content:
        padded = [cell.rjust(each) for cell, each in zip(cells, widths, strict=True)]
        return Content.styled("  " + between.join(padded[:shown]), style)

    return [line(titles, "$quiet"), *(line(row, "$foreground") for row in rows)]
