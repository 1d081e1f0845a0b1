"""The figures of runs, made once for as long as what a run tells stays the same.

A table is made every other second while one of its many runs goes on. What is remembered is of the
last table made, and no more: views hold the rows of their runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from engine.journal.views import RunView
from engine.plan.runs import RunPlan
from engine.report.comment import comment
from engine.report.comparison import Source
from engine.report.entries import Entry
from engine.report.figures import Figures
from engine.report.measured import measured, planned


@dataclass(frozen=True, slots=True)
class _Known:
    run: RunView
    plan: RunPlan
    crashed: bool
    price: float | None
    figures: Figures
    comment: str | None = None
    """``None``: nobody has asked for it."""

    def is_of(self, run: RunView, plan: RunPlan, crashed: bool, price: float | None) -> bool:
        asked = (self.plan, self.crashed, self.price) == (plan, crashed, price)
        return self.run is run and asked


_last: dict[tuple[str, str], _Known] = {}
"""By experiment and run. Tables may be made in several threads: it is replaced as a whole."""


def remembered(shown: Sequence[Entry], price: float | None) -> list[tuple[Figures, ...]]:
    """The figures of every run of every row; the one that speaks for the row has its comment."""
    global _last
    before, now = _last, {}
    found = []
    for entry in shown:
        speaker = _speaker(entry)
        made = []
        for plan, run in entry.runs:
            if run is None:
                made.append(planned(plan, entry.source.name))
                continue
            key = (entry.source.name, plan.run)
            known = _known(before.get(key), run, plan, entry.source, price)
            if run is speaker and known.comment is None:
                known = replace(known, comment=comment(run, plan, entry.source))
            now[key] = known
            said = known.comment if run is speaker else None
            made.append(replace(known.figures, comment=said) if said else known.figures)
        found.append(tuple(made))
    _last = now
    return found


def _known(
    before: _Known | None, run: RunView, plan: RunPlan, source: Source, price: float | None
) -> _Known:
    if before is not None and before.is_of(run, plan, source.crashed, price):
        return before
    figures = measured(run, plan, source.name, crashed=source.crashed, price=price)
    return _Known(run, plan, source.crashed, price, figures)


def _speaker(entry: Entry) -> RunView | None:
    """The last run of a row that is done; where none is, the one that runs."""
    runs = [run for _, run in entry.runs if run is not None]
    done = [run for run in runs if run.state == "done"]
    there = done or [run for run in runs if run.state == "running"]
    return there[-1] if there else None
