"""How the rows of the screen are shared out between table and chart. Pure."""

from __future__ import annotations

from typing import NamedTuple

LEAST = 7
"""Rows below which a chart tells nothing: its title, its axis, and five for curves."""
TALL = 30
"""Rows of a screen from which on sentences may take more of them."""


class Room(NamedTuple):
    """Rows of each part; a part with none is not shown."""

    table: int
    chart: int


def most_said(height: int) -> tuple[int, int]:
    """Rows that the verdict and the remarks may take at most."""
    return (3, 4) if height >= TALL else (3, 1) if height >= 24 else (2, 1)


def share(free: int, rows: int, on_chart: bool) -> Room:
    """``free`` rows for a table of ``rows`` lines and a chart.

    The table gets what it needs and the chart the rest. Where that is too little for a chart, a
    high screen splits what there is; on a low one the part with the keys gets it: a chart leaves
    the table some lines about its cursor.
    """
    free = max(1, free)
    if free - rows > LEAST:
        return Room(rows, free - rows)
    if free >= 3 * LEAST:
        chart = max(LEAST + 1, free * 2 // 5)
        return Room(free - chart, chart)
    if not on_chart:
        return Room(min(rows, free), 0)
    table = min(rows, max(1, free - LEAST - 3))
    return Room(table, free - table)
