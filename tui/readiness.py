"""Whether a training can start: what is in its way, and what is not known yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from engine.plan.dataset import Report
from engine.plan.machine import Machine
from engine.plan.strategies import strategy
from engine.plan.switches import availability, runs_anywhere
from tui.draft import Draft

Place = Literal["dataset", "strategies", "settings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """What Setup knows at a moment; ``None`` is not known yet."""

    draft: Draft
    report: Report | None
    problem: str
    """Why the dataset cannot be trained on."""
    machine: Machine | None
    ticked: tuple[str, ...]

    def hindrance(self) -> tuple[str, Place] | None:
        """A sentence on what would make a start fail, and where it is put right."""
        if self.draft.dataset is None:
            return "Choose a dataset first: Enter on a folder.", "dataset"
        if self.problem:
            return self.problem, "dataset"
        if self.draft.problem:
            return self.draft.problem, "strategies"
        if self.draft.wrong is not None:
            return self.draft.wrong[1], "settings"
        if not self.ticked:
            return "Tick a strategy first: Space, or its number.", "strategies"
        for name in self.ticked if self.machine is not None else ():
            assert self.machine is not None
            judged = availability(strategy(name), self.machine)
            if judged.status == "unavailable":
                return f"{name} cannot run here: {judged.reason}", "strategies"
        return None

    def waiting(self) -> str:
        """What must be known before a start and is not yet; empty when nothing is missing."""
        if self.report is None or not self.report.listed:
            return "reading the dataset's folders"
        if not self.draft.settled:
            return "looking up the dataset's defaults"
        if self.machine is None and not all(runs_anywhere(strategy(each)) for each in self.ticked):
            return "looking at this machine"
        return ""
