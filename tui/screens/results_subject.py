"""Whose results by class are shown: a run of Live, or the best one of a row of Compare."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from engine.journal.views import RunView
from engine.plan.runs import RunPlan
from tui.compared import run_to_look_at
from tui.feed import Snapshot
from tui.screens.compare_out import Known


class Subject(NamedTuple):
    """A run as the newest snapshot has it."""

    title: str
    experiment: str
    run: RunView | None
    """``None`` before it is queued."""
    plan: RunPlan | None


Choose = Callable[[Snapshot], Subject | None]


def of_run(name: str, title: str) -> Choose:
    """The run of that name in the shown experiment."""

    def choose(snapshot: Snapshot) -> Subject:
        plans = snapshot.experiment.plan.runs
        plan = next((each for each in plans if each.run == name), None)
        return Subject(title, snapshot.experiment.name, snapshot.view.run(name), plan)

    return choose


def of_row(key: str, known: Callable[[], Known | None]) -> Choose:
    """Of a row's repeats, the most accurate; before the first validation, the one to look at."""

    def choose(_: Snapshot) -> Subject | None:
        told = known()
        row = told[1].row(key) if told is not None else None
        if told is None or row is None:
            return None
        look = told[0]
        judged = [
            (each.best_top1 or 0.0, -place, each)
            for place, each in enumerate(row.repeats)
            if (run := look.run(each)) is not None and run.best_judged is not None
        ]
        figures = max(judged)[2] if judged else run_to_look_at(row)
        title = look.name(row)
        if len(row.repeats) > 1:
            title = f"{title}, repeat {figures.repeat + 1}"
        return Subject(title, figures.experiment, look.run(figures), look.plan(figures))

    return choose
