"""Sentences that several commands say."""

from __future__ import annotations

from engine.experiment import Experiment, Summary


def farewell(experiment: Experiment) -> str:
    """What to type to come back to an experiment that is left running."""
    return (
        f"{experiment.name} goes on without this terminal.\n"
        f"  see it again   resnet-tui attach {experiment.name}\n"
        f"  stop it        resnet-tui stop {experiment.name}"
    )


def best_top1(summary: Summary | None) -> float | None:
    """The best accuracy of any run, in 0..1; ``None`` before the first validation."""
    if summary is None:
        return None
    known = [each.best_top1 for each in summary.runs if each.best_top1 is not None]
    return max(known, default=None)
