"""Experiments on disk, read as far as they are written, for a table of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from engine.errors import ExperimentError
from engine.experiment import Experiment, open_directory
from engine.journal.reader import JournalReader
from engine.journal.views import ExperimentView
from engine.report.comparison import Source

GONE = ("crashed", "done", "failed", "stopped")
"""States of an experiment in which no run of it trains, whatever its journals say."""


def read(experiment: Experiment, name: str | None = None) -> Source:
    """All that its journals say now; blocking."""
    return of_view(experiment, JournalReader(experiment.directory).read_all(), name)


def of_view(experiment: Experiment, view: ExperimentView, name: str | None = None) -> Source:
    """With the plan as it is now: runs may have been added to it since it was opened."""
    plan = experiment.plan
    if {run.run for run in view.runs} - {run.run for run in plan.runs}:
        try:
            plan = open_directory(experiment.directory).plan
        except ExperimentError:
            pass  # It was deleted meanwhile; what is known of it is shown.
    return Source(
        name=name or experiment.name, plan=plan, view=view, crashed=experiment.state() in GONE
    )


def read_all(experiments: Sequence[Experiment]) -> tuple[Source, ...]:
    """Several, each under a name of its own: of two of one name the folders are told as well."""
    names = [each.name for each in experiments]
    found: list[Source] = []
    for experiment in experiments:
        name = experiment.name
        if names.count(name) > 1:
            name = str(Path(experiment.directory.parent.name) / name)
        while name in {each.name for each in found}:
            name += "'"
        found.append(read(experiment, name))
    return tuple(found)
