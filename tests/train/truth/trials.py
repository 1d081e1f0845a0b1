"""Runs cases in real processes, and reads their journals back as the dashboard does."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from engine.journal.reader import JournalReader
from engine.journal.views import RunView
from engine.plan import dataset
from engine.plan.runs import RunPlan
from engine.report.findings.exchange import WAITING
from engine.report.findings.loading import STARVING
from engine.run import torchrun
from tests.conftest import REPOSITORY
from tests.train.making import images, lay_out, plan
from tests.train.truth.injection import Case
from tests.train.truth.rank import Trial
from tests.train.truth.timeline import Floats, Timeline, first_image, timelines

LIMIT = 300.0
"""Seconds after which cases that do not end are ended."""
SETTLING = 6
"""Steps in which a loader's queue fills or empties; they are not of the steady state."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A case that was trained."""

    case: Case
    plan: RunPlan
    experiment: Path
    view: RunView
    truth: tuple[Timeline, ...]
    """Of each rank."""

    def measured(self, column: str, rank: int) -> Floats:
        """By step; NaN where it was not measured."""
        rows = np.asarray(self.view.history.rows(column, 0, self.case.steps, rank), np.float64)
        return rows if len(rows) else np.full(self.case.steps, np.nan)

    @property
    def too_busy(self) -> str:
        """Why another verdict than the case's is true: the machine does not let sleep alone decide
        who waits. Empty where it does."""
        waited = max(truth.waited(1) for truth in self.truth)
        met = min(truth.met(1) for truth in self.truth)
        if self.case.ranks > 1 and self.case.verdict == "fine" and met >= WAITING:
            return f"this machine is too busy: ranks that do nothing wait {met:.0%} for each other"
        if (waited >= STARVING) == (self.case.verdict == "data"):
            return ""
        return (
            f"this machine is too busy: {waited:.0%} of the time went to waiting for images where "
            f"sleep alone would have led to the verdict {self.case.verdict!r}"
        )


def steady(values: Floats) -> float:
    """The mean over the steps in which nothing changes any more, the last one left out."""
    return float(np.mean(values[SETTLING:-1]))


def typical(values: Floats) -> float:
    """The median over the same steps: for parts that a busy machine may interrupt just before or
    after the sleep, in some of them."""
    return float(np.median(values[SETTLING:-1]))


def run(directory: Path, cases: Sequence[Case]) -> list[Outcome]:
    """Trains ``cases``, which must have equally many ranks, one after another."""
    (ranks,) = {case.ranks for case in cases}
    name = "single" if ranks == 1 else "ddp"
    made, trials = [], []
    for number, case in enumerate(cases):
        folder = directory / f"images-{case.batch * case.steps * ranks}"
        if not folder.exists():
            images(folder, classes=2, train=case.batch * case.steps * ranks // 2, val=2)
        experiment = directory / f"case-{number}"
        laid_out = lay_out(experiment, plan(folder, name, **case.settings))
        made.append((experiment, laid_out))
        found = _dataset(laid_out)
        trials.append(
            Trial(
                injection=case.injection,
                experiment=str(experiment),
                run=laid_out.run,
                notes=str(experiment / "notes"),
                slow_image=first_image(laid_out, found),
            )
        )
    told = directory / "trials.json"
    told.write_bytes(msgspec.json.encode(trials))
    _launch(told, ranks, directory)
    return [_outcome(case, *each) for case, each in zip(cases, made, strict=True)]


def _launch(trials: Path, ranks: int, directory: Path) -> None:
    rank = ("-m", "tests.train.truth.rank", str(trials))
    command = torchrun.command(ranks, *rank) if ranks > 1 else (sys.executable, *rank)
    environment = {
        **os.environ,
        **(torchrun.environment(directory) if ranks > 1 else {}),
        "RESNET_TUI_PARENT": str(os.getpid()),
        "PYTHONPATH": str(REPOSITORY),
        "OMP_NUM_THREADS": "1",
        "OMP_WAIT_POLICY": "PASSIVE",
    }
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, timeout=LIMIT, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise AssertionError(f"cases did not end within {LIMIT:g} s") from error
    if done.returncode != 0:
        logs = [each.read_text()[-2000:] for each in sorted(directory.rglob("rank*.log"))]
        raise AssertionError("\n".join([done.stderr.decode()[-3000:], *logs]))


def _outcome(case: Case, experiment: Path, made: RunPlan) -> Outcome:
    (view,) = JournalReader(experiment).read_all().runs
    truth = timelines(experiment / "notes", made, _dataset(made), case.ranks)
    return Outcome(case, made, experiment, view, truth)


def _dataset(made: RunPlan) -> dataset.Dataset:
    return dataset.load(Path(made.dataset), made.settings.val_fraction, made.settings.seed)
