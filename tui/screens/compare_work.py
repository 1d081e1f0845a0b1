"""What the comparison has made off the screen's thread: the table itself, curves and bars."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

from textual.content import Content

from engine.report.comparison import Choices
from tui import compare_messages as messages
from tui import output
from tui.background import in_background
from tui.compared import Added, Look, shown_source
from tui.feed import Snapshot
from tui.screens import compare_bars
from tui.screens.compare_below import CompareBars, CompareChart
from tui.screens.compare_painting import ComparePainting
from tui.screens.compare_plots import lines, plot, shown_runs
from tui.screens.live_plots import Shown
from tui.widgets.bars import bars
from tui.widgets.viewport import Viewport

EVERY = 2.0
"""Seconds between two tables of an experiment that runs."""
_REST = 8.0
"""Between two tables, times as long as one takes: what trains needs the cores more."""


class CompareWork(ComparePainting):
    """Has the table made when something changed, one at a time, and what stands below it."""

    def __init__(self) -> None:
        super().__init__()
        self.choices = Choices()
        self.added: tuple[Added, ...] = ()
        self._directory: Path | None = None
        self._comparing = False
        self._compared_at = 0.0
        self._pause = EVERY
        self._made_of: tuple[object, ...] = ()
        """What the newest table was made of."""
        self._drawing: object = None
        """What was last asked to be drawn."""

    # The table

    def look_again(self) -> None:
        """Makes a table where there is something new to be in it; called a few times a second."""
        snapshot = self.snapshot
        if snapshot is None or not self.is_current or output.backlog(self.app) > 1:
            return
        if snapshot.experiment.directory != self._directory:
            self._begin(snapshot)
        self.show_progress()
        if self._comparing or not snapshot.caught_up:
            return
        due = time.monotonic() - self._compared_at >= self._pause
        grows = (snapshot.number, snapshot.state)
        chosen = (self.choices, self.added)
        if self._made_of == (grows, chosen):
            # Others that were added may grow as well.
            if not (due and any(each.grows for each in self.added)):
                return
        elif self._made_of[1:] == (chosen,) and not due:
            return
        self._made_of = (grows, chosen)
        self._compare(snapshot)

    def _begin(self, snapshot: Snapshot) -> None:
        """Another experiment: nothing of the old one's choices fits it."""
        self._directory = snapshot.experiment.directory
        self.choices = Choices()
        self.look = self.comparison = None
        self.added, self.marked, self._made_of = (), (), ()
        self.view = replace(self.view, viewport=Viewport())

    def _compare(self, snapshot: Snapshot) -> None:
        self._comparing = True
        choices, added = self.choices, self.added

        def work() -> messages.Compared:
            # Statistics are heavy, and not needed before this screen is.
            from engine.report.compare import compare

            began = time.monotonic()
            sources = (shown_source(snapshot), *(each.source() for each in added))
            made = compare(sources, choices)
            look = Look(snapshot, sources)
            return messages.Compared(look, made, choices, time.monotonic() - began)

        in_background(self, work, "compare")

    def on_compared(self, message: messages.Compared) -> None:
        self._comparing = False
        self._compared_at = time.monotonic()
        self._pause = max(EVERY, _REST * message.seconds)
        if message.look.snapshot.experiment.directory != self._directory:
            return
        self.look, self.comparison = message.look, message.comparison
        keys = {row.key for row in message.comparison.rows}
        self.marked = tuple(key for key in self.marked if key in keys)
        self.show_progress()
        self.show_all()
        if message.choices != self.choices:
            self.look_again()

    def show_all(self) -> None:
        self.show_table()
        self.show_below()
        self.refresh_bindings()

    # Curves and bars

    def shown_runs(self) -> list[Shown]:
        if self.look is None:
            return []
        return shown_runs(lines(self.look, self.rows(), self.drawn(), self.grid.key))

    def chart_cells(self) -> int:
        return self.query_one(CompareChart).size.width - 6

    def view_changed(self) -> None:
        self.show_below()

    def on_below_resized(self) -> None:
        self.show_below()

    def show_below(self) -> None:
        """Has drawn what belongs below the table, where that is not what is there."""
        if self.look is None or self.comparison is None:
            return
        if self.shows_bars:
            self._draw_bars()
        else:
            self._draw_curves()

    def _draw_curves(self) -> None:
        look, chart = self.look, self.query_one(CompareChart)
        if look is None or not chart.display or self.shows_bars or not chart.size.width:
            return
        rows, shown, here = self.rows(), self.drawn(), self.grid.key
        metric, view, width = self.below, self.view, chart.size.width
        asked = (look, metric, view, width, shown, here)
        if asked == self._drawing:
            return
        self._drawing = asked

        def work() -> messages.PlotMade:
            made = lines(look, rows, shown, here)
            return messages.PlotMade(plot(metric, made, view, width), asked)  # type: ignore[arg-type]

        in_background(self, work, "curves")

    def on_plot_made(self, message: messages.PlotMade) -> None:
        if message.asked is self._drawing:
            self.query_one(CompareChart).show(message.plot)

    def _draw_bars(self) -> None:
        """The chosen figure, and below it as many others as there is room for."""
        page, comparison, look = self.query_one(CompareBars), self.comparison, self.look
        if comparison is None or look is None or not page.display or not page.room:
            return
        rows, here, width = self.rows(), self.grid.key, page.room
        pieces = tuple(
            (
                compare_bars.title(kind, comparison),
                kind,
                compare_bars.found(kind, rows, here, look.name),
            )
            for kind in compare_bars.from_on(self.below)
        )
        asked = (pieces, width, page.size.height)
        if asked == self._drawing:
            return
        self._drawing, height = asked, page.size.height

        def work() -> messages.BarsMade:
            made: list[Content] = []
            for title, kind, found in pieces:
                more = bars(title, found, kind.spelled, kind.scaled, width, kind.style)
                if made and len(made) + 1 + len(more) > height:
                    break
                made += [Content(""), *more] if made else more
            return messages.BarsMade(made, asked)

        in_background(self, work, "bars")

    def on_bars_made(self, message: messages.BarsMade) -> None:
        if message.asked is self._drawing:
            self.query_one(CompareBars).show(message.lines)
