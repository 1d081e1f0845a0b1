"""The messages of the comparison; each has one handler."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.content import Content
from textual.message import Message

if TYPE_CHECKING:
    from engine.report.comparison import Choices, Comparison
    from tui.chosen_columns import Kept
    from tui.compared import Added, Look
    from tui.experiments import ExperimentRow
    from tui.widgets.series import Plot


@dataclass
class Compared(Message):
    """The table was made anew, off the screen's thread."""

    look: Look
    comparison: Comparison
    choices: Choices
    """Those that it was made with: others may have been made meanwhile."""
    seconds: float
    """That it took."""


@dataclass
class ColumnsKnown(Message):
    """The columns that were chosen in an earlier session."""

    kept: Kept


@dataclass
class BelowResized(Message):
    """What stands below the table has another size, or its first one."""


@dataclass
class PlotMade(Message):
    """Curves to be drawn; ``asked`` is what they are of."""

    plot: Plot
    asked: object


@dataclass
class BarsMade(Message):
    """Bars to be shown; ``asked`` is what they are of."""

    lines: list[Content]
    asked: object


@dataclass
class OlderListed(Message):
    """The experiments whose runs could be added, newest first."""

    rows: tuple[ExperimentRow, ...]


@dataclass
class OlderLoaded(Message):
    """Which experiments are added from now on, and why others could not be."""

    added: tuple[Added, ...]
    problems: tuple[str, ...] = ()
