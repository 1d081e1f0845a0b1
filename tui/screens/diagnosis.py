"""Diagnosis: the verdict with its evidence, and where the time and the memory of a run went."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content

from engine.journal.views import RunView
from engine.plan.text import clean
from engine.report.diagnose import judge
from engine.report.epochs import epoch_times
from engine.report.ledger import Times
from engine.report.memory import memory_report
from engine.report.situation import Situation, situation
from engine.report.stall import stall
from engine.report.verdict import Kind
from tui.feed import Snapshot
from tui.screens.live_time import ledgers, surroundings, waits_by_epoch
from tui.screens.paged import PagedScreen
from tui.widgets import format as show
from tui.widgets.line import heading
from tui.widgets.memory import memory_lines
from tui.widgets.stall import gauge, loader
from tui.widgets.time import ledger_rows
from tui.widgets.time_tables import epoch_table, rank_table
from tui.widgets.verdict import verdict_lines

WIDEST = 120
"""Cells across beyond which a line is hard to read."""


class DiagnosisScreen(PagedScreen):
    """Of the run that Live shows."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("i,backspace,escape", "close", "back", key_display="i"),
    ]

    def __init__(self, run: str, strategy: str, before: Kind | None = None) -> None:
        """``before``: the verdict that Live showed."""
        super().__init__()
        self._run, self._strategy, self._before = run, strategy, before

    def title_of(self, snapshot: Snapshot, width: int) -> Content:
        run = snapshot.view.run(self._run)
        state = run.state if run is not None else "queued"
        return heading(f"Diagnosis of {clean(self._strategy)}", width, state)

    def lines_of(self, snapshot: Snapshot, width: int) -> list[Content]:
        run = snapshot.view.run(self._run)
        plan = next(each for each in snapshot.experiment.plan.runs if each.run == self._run)
        if run is None:
            return [Content.styled("it has not begun yet", "$quiet")]
        width = min(width, WIDEST)
        here = situation(run, plan, surroundings(snapshot), self._before)
        verdict = judge(here)
        self._before = verdict.kind
        return [*verdict_lines(verdict, width), *where(here, width)]


def where(here: Situation, width: int) -> list[Content]:
    """Time and memory by rank, loading, and every epoch."""
    run = here.run
    sections = [
        _ledgers(run, here.times, width),
        memory_lines(memory_report(run, here.plan), width),
        _loading(run, width),
        _epochs(run, width),
    ]
    return [line for section in sections if section for line in (Content(""), *section)]


def _ledgers(run: RunView, times: tuple[Times, ...], width: int) -> list[Content]:
    if not times:
        return []
    lines = [heading("Time per step", width, f"the latest {times[0].steps:,} steps")]
    whole = ledgers(run, times)
    steps = sum(each.steps for each in times)
    if len(times) == 1:
        step = f"{show.brief(times[0].median_step)} median, {show.brief(times[0].p95_step)} p95"
        lines.append(Content.assemble((f"{'step':<8}", "$quiet"), (step, "$foreground")))
    for name, ledger in whole:
        lines += ledger_rows(name, ledger, steps, width)
    if len(times) > 1:
        extra = {
            "median": [show.brief(each.median_step) for each in times],
            "p95": [show.brief(each.p95_step) for each in times],
        }
        for place, (name, _) in enumerate(whole):
            parts = [(each.rank, each.steps, ledgers(run, (each,))[place][1]) for each in times]
            lines += [Content(""), Content.styled(f"{name} by rank", "bold $foreground")]
            lines += rank_table(parts, extra if place == 0 else {}, width)
    return lines


def _loading(run: RunView, width: int) -> list[Content]:
    found = stall(run)
    if found is None:
        return []
    ranks = len(run.history.ranks)
    return [heading("Loading", width), gauge(found, ranks, width), loader(found, width, ranks > 1)]


def _epochs(run: RunView, width: int) -> list[Content]:
    epochs = epoch_times(run)
    if not epochs:
        return []
    head = heading("Epochs, newest first", width)
    return [head, *epoch_table(epochs, waits_by_epoch(run), width)]
