"""Sentences that several commands say."""

from __future__ import annotations

from engine.experiment import Experiment
from engine.journal.views import ExperimentView
from engine.summary import Summary
from tui.narrate import Told


def farewell(experiment: Experiment) -> str:
    """What to type to come back to an experiment that is left running."""
    return (
        f"{experiment.title} goes on without this terminal.\n"
        f"  see it again   resnet-tui attach {experiment.title}\n"
        f"  stop it        resnet-tui stop {experiment.title}"
    )


def told(line: Told, view: ExperimentView) -> str:
    """A line of what happens, behind the strategy that it is about."""
    width = max((len(each.strategy) for each in view.runs), default=0)
    text = line.text if line.level == "info" else f"{line.level}: {line.text}"
    return f"{line.strategy:<{width}}  {text}" if line.strategy else text


def best_top1(summary: Summary | None) -> float | None:
    """The best accuracy of any run, in 0..1; ``None`` before the first validation."""
    if summary is None:
        return None
    known = [each.best_top1 for each in summary.runs if each.best_top1 is not None]
    return max(known, default=None)
