"""Which checkpoint of an experiment is meant by whoever wants to use its best network."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from engine.errors import CheckpointError
from engine.experiment import Experiment
from engine.journal import layout, undone
from engine.journal.checkpoints import read_header
from engine.plan.runs import RunPlan
from engine.plan.text import clean

Kind = Literal["best", "last"]
_NAMES: dict[Kind, str] = {"best": layout.BEST, "last": layout.LAST}


@dataclass(frozen=True, slots=True)
class Chosen:
    """A checkpoint, and the run it is of; ``None`` where a file was named."""

    path: Path
    run: RunPlan | None = None

    @property
    def title(self) -> str:
        """``best.pt of 01-single``, or the file's own name."""
        name = clean(self.path.name)
        return f"{name} of {clean(self.run.run)}" if self.run is not None else name


def choose(experiment: Experiment, run: str | None = None, kind: Kind | None = None) -> Chosen:
    """The best run's, by validation accuracy, or that of ``run``: its directory's name, or its
    strategy's. ``kind``: by default the best one where there is one, else the last; also where the
    best is damaged, or of steps that a later attempt has undone.

    Raises ``CheckpointError`` where there is none.
    """
    runs = [each for each in experiment.plan.runs if run in (None, each.run, each.strategy.name)]
    if not runs:
        names = ", ".join(clean(each.run) for each in experiment.plan.runs)
        raise CheckpointError(f"no run is called {clean(str(run))!r}; --run can be {names}")
    for name in [_NAMES[kind]] if kind is not None else [layout.BEST, layout.LAST]:
        there = [each for each in runs if _path(experiment, each, name).is_file()]
        if there:
            best = max(there, key=lambda each: _accuracy(experiment, each))
            last = _path(experiment, best, layout.LAST)
            path = _path(experiment, best, name)
            if kind is None and not _is_sound(path) and _is_sound(last):
                path = last
            return Chosen(path, best)
    which = f"the run {clean(run)}" if run is not None else "none of its runs"
    negation = "has no" if run is not None else "has a"
    raise CheckpointError(
        f"{experiment.title}: {which} {negation} checkpoint"
        + (f" {_NAMES[kind]}" if kind is not None else "")
        + " yet; one is saved after each epoch"
    )


def _path(experiment: Experiment, run: RunPlan, name: str) -> Path:
    return experiment.directory / run.run / layout.CHECKPOINTS / name


def _is_sound(checkpoint: Path) -> bool:
    """Whether it can be read, as far as its header tells, and is of steps that still count."""
    try:
        header = read_header(checkpoint)
    except CheckpointError:
        return False
    cuts = undone.cuts(checkpoint.parent.parent)
    return undone.counts(cuts, header.attempt, header.step)


def _accuracy(experiment: Experiment, run: RunPlan) -> float:
    """The best so far, by its checkpoint, else by the summary; below all others where unknown."""
    try:
        told = read_header(_path(experiment, run, layout.BEST)).best_acc
    except CheckpointError:
        summary = experiment.summary()
        told = next(
            (each.best_top1 for each in (summary.runs if summary else ()) if each.run == run.run),
            None,
        )
    return -1.0 if told is None else told
