"""An experiment whose plan changes while it is followed: runs that are added, or go on with another
strategy, are in the journal, and the plan was written anew before that."""

from __future__ import annotations

import time

from engine.errors import ExperimentError
from engine.experiment import Experiment, open_directory
from engine.journal.views import ExperimentView

_AGAIN = 1.0
"""Seconds between two readings of a plan that still lacks something: a network disk may show an
older one for a moment."""


class GrowingPlan:
    """Reads the plan again where the journal has a run that is not in it, or is otherwise."""

    def __init__(self) -> None:
        self._read = 0.0

    def newest(self, experiment: Experiment, view: ExperimentView) -> Experiment:
        """``experiment`` itself, where its plan has every run or cannot be read."""
        planned = {each.run: each.strategy.name for each in experiment.plan.runs}
        if all(planned.get(run.run) == run.strategy for run in view.runs):
            return experiment
        now = time.monotonic()
        if now - self._read < _AGAIN:
            return experiment
        self._read = now
        try:
            again = open_directory(experiment.directory)
        except ExperimentError:
            return experiment
        return again if again.plan != experiment.plan else experiment
