"""A comparison in every view that there are runs for. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from engine.report.compare import compare
from engine.report.comparison import Choices, Comparison, Source


def every_view(sources: Sequence[Source], choices: Choices | None = None) -> tuple[Comparison, ...]:
    """The table of each view, equal batches first; at least one, which may be empty."""
    choices = choices or Choices()
    first = compare(sources, replace(choices, view="equal"))
    others = [each for each in first.views if each != first.view]
    return (first, *(compare(sources, replace(choices, view=view)) for view in others))


def stacked(comparisons: Sequence[Comparison]) -> Comparison:
    """Their rows below one another, for a file of rows: the column ``view`` tells the tables apart.

    A run that stands in both views is a row of both.
    """
    first = comparisons[0]
    rows = [
        replace(row, figures=replace(row.figures, view=each.view))
        for each in comparisons
        for row in each.rows
    ]
    return replace(first, rows=tuple(rows))
