"""What the keys of the comparison do."""

from __future__ import annotations

from typing import ClassVar, cast

from textual.binding import Binding, BindingType

from tui.compared import run_to_look_at
from tui.screens.compare_bars import CYCLE
from tui.screens.compare_below import CompareBars, CompareChart
from tui.screens.compare_choosing import CompareChoosing
from tui.screens.compare_table import numbered

_NEED_ROWS = frozenset(
    [
        "sort",
        "columns",
        "mark",
        "metric",
        "pane",
        "export",
        "copy",
        "older",
        "evidence",
        "goal",
        "turn",
        "results",
    ]
)
_OF_CURVES = frozenset(
    ("axis", "point", "pan", "end", "zoom", "whole", "log_scale", "smooth", "band")
)
"""What changes nothing where no curves are seen."""


class CompareActions(CompareChoosing):
    """Sorts, chooses, marks, and opens what is above the table."""

    FIRST_KEYS: ClassVar[tuple[str, ...]] = (
        "open",
        "details",
        "retry",
        "results",
        "sort",
        "view_of",
        "screen.baseline",
        "pane",
        "metric",
        "columns",
        "older",
        "judge",
        "copy",
        "export",
        "queue",
    )

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "details", "details", key_display="Enter"),
        Binding("o", "sort", "sort"),
        Binding("w", "view_of", "view", tooltip="equal global batch, or each at its best batch"),
        Binding("tab,shift+tab", "pane", "pane", key_display="Tab", tooltip="table or chart"),
        Binding("m", "metric", "metric", tooltip="what stands below: curves or bars"),
        Binding("t", "columns", "columns"),
        Binding("a", "older", "older runs", tooltip="add runs of other experiments"),
        Binding("j", "judge", "judge", tooltip="judge an image: what the network takes it for"),
        Binding("y", "copy", "copy"),
        Binding("R", "retry", "retry", tooltip="go on from its checkpoint, or begin anew"),
        Binding("e", "export", "export"),
        Binding("i", "evidence", "evidence", show=False, tooltip="what was held constant"),
        Binding("r", "results", "results", tooltip="results by class"),
        Binding("f", "goal", "target", show=False, tooltip="target accuracy and price"),
        Binding("n", "turn(1)", "next row", show=False),
        Binding("p", "turn(-1)", "previous row", show=False),
        Binding("backspace,escape", "back", "back", key_display="Backspace"),
        *(
            Binding(str(number), f"pick({number})", f"strategy {number}", show=False)
            for number in range(1, 10)
        ),
    ]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in _OF_CURVES:
            return self.is_mounted and self.query_one(CompareChart).display
        if action == "view_of":
            return self.comparison is not None and len(self.comparison.views) > 1
        if action == "retry":
            return bool(self.left_of_row())
        if action == "pick":
            return 0 < cast("int", parameters[0]) <= len(self._own_rows())
        if action in _NEED_ROWS:
            return self.comparison is not None and bool(self.comparison.rows)
        return super().check_action(action, parameters)

    # The table

    def on_comparison_table_opened(self) -> None:
        self.action_details()

    def action_details(self) -> None:
        from tui.screens.compare_detail import CompareDetail

        if self.grid.key:
            self.app.push_screen(CompareDetail(self.grid.key, self._known))

    def on_comparison_table_visited(self) -> None:
        self.show_table()
        self.show_below()
        self.refresh_bindings()

    def on_comparison_table_scrolled(self) -> None:
        self.show_lines()

    def action_results(self) -> None:
        from tui.screens.results import ResultsScreen
        from tui.screens.results_subject import of_row

        if self.grid.key:
            self.app.push_screen(ResultsScreen(of_row(self.grid.key, self._known)))

    def action_judge(self) -> None:
        """With the run of the row under the cursor, of whichever experiment it is."""
        from tui.screens.judge import JudgeScreen

        row, look = self.row, self.look
        if row is None or look is None:
            return
        figures = run_to_look_at(row)
        shown = look.snapshot.experiment
        others = {each.experiment.name: each.experiment for each in self.added}
        experiment = shown if look.is_shown(row) else others.get(figures.experiment, shown)
        self.app.push_screen(JudgeScreen(experiment.directory, figures.run))

    def action_turn(self, by: int) -> None:
        self.grid.action_step(by)

    def _own_rows(self) -> list[str]:
        """The keys of the rows of the shown experiment, by their numbers."""
        if self.comparison is None or self.look is None:
            return []
        return list(numbered(self.comparison, self.look))

    def action_pick(self, number: int) -> None:
        row = self.comparison.row(self._own_rows()[number - 1]) if self.comparison else None
        if row is not None:
            self.dashboard.show_run(run_to_look_at(row).run)

    # Below it

    def action_pane(self) -> None:
        self.on_chart = not self.on_chart
        self.show_table()
        self.call_after_refresh(self._focus_and_draw)

    def _focus_and_draw(self) -> None:
        self.show_table()
        self.show_below()
        self.refresh_bindings()

    def action_metric(self) -> None:
        """Curves first, then bars."""
        seen = self.query_one(CompareChart).display or self.query_one(CompareBars).display
        if seen:
            self.below = CYCLE[(CYCLE.index(self.below) + 1) % len(CYCLE)]
        else:
            # There is no room for both: what was asked for is to be seen.
            self.on_chart = True
        self.show_table()
        self.call_after_refresh(self._focus_and_draw)

    def action_mark(self) -> None:
        """Draws the rows that are marked alone; without marks the first ones are drawn."""
        key = self.grid.key
        if key:
            kept = tuple(each for each in self.marked if each != key)
            self.marked = kept if key in self.marked else (*kept, key)
            self.show_all()

    def action_back(self) -> None:
        if self.on_chart and self.view.viewport.cursor is not None:
            self.action_cursor_off()
        elif self.on_chart:
            self.action_pane()
        else:
            self.dashboard.action_show("live")
