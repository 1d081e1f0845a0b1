"""Whether a training can start: what is in its way, and what is not known yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from engine.errors import StrategyError
from engine.plan.defaults import asked_for
from engine.plan.inspection import Report
from engine.plan.machine import ANY, Machine
from engine.plan.strategies import Strategy, strategy
from engine.plan.switches import check, runs_anywhere
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
        if why := self._cannot_be_combined():
            return why, "strategies"
        return None

    def waiting(self) -> str:
        """What must be known before a start and is not yet; empty when nothing is missing."""
        if self.report is None or not self.report.listed:
            return "reading the dataset's folders"
        if not self.draft.settled:
            return "looking up the dataset's defaults"
        if self.machine is None and not self._run_anywhere():
            return "looking at this machine"
        return ""

    def _cannot_be_combined(self) -> str:
        """Why the ticked strategies cannot be trained here like this, as far as that is known."""
        machine = ANY if self.machine is None and self._run_anywhere() else self.machine
        if machine is None or not self.draft.settled:
            return ""
        asked = asked_for(self.draft.sources())
        try:
            check(self._strategies(), self.draft.settings, machine, asked)
        except StrategyError as error:
            return str(error)
        return ""

    def _run_anywhere(self) -> bool:
        return all(runs_anywhere(each, self.draft.settings) for each in self._strategies())

    def _strategies(self) -> tuple[Strategy, ...]:
        return tuple(strategy(name) for name in self.ticked)
