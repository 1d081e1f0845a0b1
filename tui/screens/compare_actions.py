"""What the keys of the comparison do."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, cast

from textual.binding import Binding, BindingType

from engine.plan.text import clean
from engine.report.columns import COLUMNS
from tui import chosen_columns
from tui.background import in_background
from tui.compared import run_to_look_at
from tui.screens.compare_bars import CYCLE
from tui.screens.compare_below import CompareBars, CompareChart
from tui.screens.compare_cells import on_screen
from tui.screens.compare_columns import Order, Ticks
from tui.screens.compare_goal import Goal, GoalForm
from tui.screens.compare_table import numbered
from tui.screens.compare_taking import CompareTaking
from tui.screens.picker import Item, Picker
from tui.widgets import format as show

_PLAN = "the plan's order"
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


class CompareActions(CompareTaking):
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

    def action_sort(self) -> None:
        """A list of the columns; the one that it is sorted by, once more, turns it round."""

        def answered(answer: str | frozenset[str] | None) -> None:
            if isinstance(answer, str):
                again = answer == self.order.name
                self.order = Order(answer, not self.order.reverse if again else False)
                self.show_all()

        shown = [Item("", _PLAN), *(Item(each.name, each.title) for each in self.columns())]
        items = [
            each._replace(remark="Enter turns it round") if each.id == self.order.name else each
            for each in shown
        ]
        self.app.push_screen(Picker("Sort by", items, at=self.order.name), answered)

    def action_columns(self) -> None:
        """Ticks for every column there is; kept for the next session."""
        every = on_screen(COLUMNS)

        def answered(answer: str | frozenset[str] | None) -> None:
            if isinstance(answer, frozenset):
                self._tick(answer)

        items = [Item(each.name, each.title, each.about) for each in every]
        ticked = frozenset(each.name for each in every if self.ticks.wants(each))
        usual = frozenset(each.name for each in every if each.shown)
        self.app.push_screen(Picker("Columns", items, ticked=ticked, reset=usual), answered)

    def _tick(self, names: frozenset[str]) -> None:
        ticks = Ticks()
        for each in on_screen(COLUMNS):
            if ticks.wants(each) != (each.name in names):
                ticks = ticks.turned(each)
        self.ticks = ticks
        kept = chosen_columns.Kept(tuple(sorted(ticks.shown)), tuple(sorted(ticks.hidden)))
        in_background(self, lambda: chosen_columns.remember(kept), "columns")
        self.show_all()

    def action_view_of(self) -> None:
        known = self.comparison
        if known is not None:
            views = known.views
            view = views[(views.index(known.view) + 1) % len(views)]
            self._choose(view=view)

    def action_baseline(self) -> None:
        """What all others are compared with; not a key of the chart, where it is the band's."""
        if (row := self.row) is not None:
            self._choose(baseline=row.key)
            self.dashboard.tell(f"{clean(row.figures.name)} is the baseline")

    def _choose(self, **changes: object) -> None:
        self.choices = replace(self.choices, **changes)  # type: ignore[arg-type]
        self.look_again()

    def action_goal(self) -> None:
        known = self.comparison
        if known is None:
            return

        def answered(answer: Goal | None) -> None:
            if answer is not None:
                self._choose(target=answer.target, price=answer.price)

        goal = Goal(known.target if known.target_given else None, known.price)
        reached = f"now {show.percent(known.target)}" if known.target is not None else "none yet"
        self.app.push_screen(GoalForm(goal, reached), answered)

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
