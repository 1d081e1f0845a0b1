"""The table as a whole: rows, differences, what was held constant, and who wins. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from engine.journal.views import ExperimentView
from engine.plan.runs import ExperimentPlan, View
from engine.report.difference import Difference
from engine.report.figures import Figures


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """An experiment whose runs go into a table."""

    name: str
    plan: ExperimentPlan
    view: ExperimentView
    crashed: bool = False
    """Its supervisor is dead: what the journals left running does not run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What the user chose for a table."""

    view: View = "equal"
    baseline: str | None = None
    """The key of a row; ``None``: ``single`` where it is there, else the first."""
    target: float | None = None
    """Accuracy that time to accuracy is measured to; ``None``: the highest that every strategy
    reached."""
    price: float | None = None
    """Of a GPU hour, in whatever currency."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One strategy of one experiment in one view."""

    key: str
    """Unique in a table, and stays the same while it grows."""
    figures: Figures
    """Of all its repeats that are done; of the one at hand where none is."""
    repeats: tuple[Figures, ...]
    """Of each run, those that wait included."""
    difference: Difference
    """To the baseline."""
    scaling_efficiency: float | None = None
    """Speed-up over the baseline / (devices / devices of the baseline); ``None`` on CPUs, whose
    processes share the same cores."""


Constancy = Literal["equal", "differs", "unknown"]


@dataclass(frozen=True, slots=True)
class Held:
    """Something that must be equal for a fair comparison, and whether it was, by evidence."""

    what: str
    """``initial weights``, ``sample order``, ``optimiser steps`` ..."""
    constancy: Constancy
    detail: str = ""
    """The common value, or who differs and how."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What a screen shows and an export writes."""

    rows: tuple[Row, ...]
    """In the order of the plans; rows of one kind of device stand together."""
    baseline: str
    """The key of its row; empty where there is none."""
    view: View
    views: tuple[View, ...]
    """Those that there are runs for."""
    target: float | None
    """The accuracy that time to accuracy is measured to; ``None`` where none is reached."""
    target_given: bool
    """The user set it."""
    price: float | None
    held: tuple[Held, ...]
    remarks: tuple[str, ...]
    """What must be known before rows are compared, a sentence each."""
    verdict: str
    """Who wins, and by how much more than noise: a sentence."""

    def row(self, key: str) -> Row | None:
        return next((each for each in self.rows if each.key == key), None)
