"""What rows are called in sentences. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from engine.plan.text import clean
from engine.report.comparison import Row


def names(rows: Sequence[Row]) -> dict[str, str]:
    """By key: the strategy, with its experiment where several rows are of one name."""
    times = Counter(row.figures.name for row in rows)
    return {
        row.key: clean(
            row.figures.name if times[row.figures.name] == 1 else row.key.replace("/", ": ")
        )
        for row in rows
    }


def listed(words: Sequence[str], most: int = 6) -> str:
    """``a``, ``a and b``, ``a, b and c``; of more than ``most`` the last are counted."""
    if len(words) > most:
        words = [*words[: most - 1], f"{len(words) - most + 1} others"]
    *others, last = words
    return f"{', '.join(others)} and {last}" if others else last
