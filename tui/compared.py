"""What the comparison is made of: the shown experiment, and others that were added to it.

Nothing here touches a widget: it is used in threads, one at a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engine.experiment import Experiment, open_directory
from engine.journal.reader import JournalReader
from engine.journal.views import RunView
from engine.plan.runs import RunPlan
from engine.plan.text import clean
from engine.report.comparison import Row, Source
from engine.report.figures import Figures
from engine.report.situation import Surroundings
from tui.feed import Snapshot

_GONE = ("crashed", "done", "failed", "stopped")
"""States of an experiment in which no run of it trains, whatever its journals say."""


class Added:
    """An experiment whose runs stand in the table of another one."""

    def __init__(self, directory: Path) -> None:
        """Blocking; raises ``ExperimentError``."""
        self.experiment: Experiment = open_directory(directory)
        self._reader = JournalReader(directory)
        self.grows = True
        """Whether something of it may still train."""

    def source(self) -> Source:
        """As it is now: what was written since the last look is read. Blocking."""
        state = self.experiment.state()
        while self._reader.poll():
            pass
        self.grows = state not in _GONE
        name, plan = self.experiment.name, self.experiment.plan
        return Source(name=name, plan=plan, view=self._reader.view(), crashed=state in _GONE)


def shown_source(snapshot: Snapshot) -> Source:
    """The experiment that the dashboard follows."""
    return Source(
        name=snapshot.experiment.name,
        plan=snapshot.experiment.plan,
        view=snapshot.view,
        crashed=snapshot.caught_up and snapshot.state in _GONE,
    )


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """The experiments as they were when a table was made of them, the shown one first."""

    snapshot: Snapshot
    sources: tuple[Source, ...]

    def source(self, name: str) -> Source | None:
        return next((each for each in self.sources if each.name == name), None)

    def run(self, figures: Figures) -> RunView | None:
        """What the journals say of a run of the table."""
        source = self.source(figures.experiment)
        return source.view.run(figures.run) if source is not None and figures.run else None

    def plan(self, figures: Figures) -> RunPlan | None:
        source = self.source(figures.experiment)
        runs = source.plan.runs if source is not None else ()
        return next((each for each in runs if each.run == figures.run), None)

    def surroundings(self, name: str) -> Surroundings:
        """Of the machine that an experiment trained on."""
        source = self.source(name)
        if source is None:
            return Surroundings(alive=False)
        view = source.view
        return Surroundings(
            host=view.host, gpus=view.gpus, cores=view.cores, alive=not source.crashed
        )

    def letter(self, name: str) -> str:
        """``B`` for the first that was added; nothing for the shown one."""
        names = [each.name for each in self.sources]
        place = names.index(name) if name in names else 0
        return "" if place == 0 else chr(ord("A") + place) if place < 26 else f"#{place + 1}"

    def name(self, row: Row) -> str:
        """``amp``, or ``B amp`` where it is of an experiment that was added."""
        return f"{self.letter(row.figures.experiment)} {clean(row.figures.name)}".lstrip()

    def is_shown(self, row: Row) -> bool:
        """Whether it is of the experiment that Live shows."""
        return not self.letter(row.figures.experiment)


def run_to_look_at(row: Row) -> Figures:
    """Of a row's repeats, the one worth looking at: that which trains, else the first begun."""
    running = [each for each in row.repeats if each.state in ("running", "starting")]
    begun = [each for each in row.repeats if each.state not in ("queued", "starting")]
    return (running or begun or list(row.repeats) or [row.figures])[0]
