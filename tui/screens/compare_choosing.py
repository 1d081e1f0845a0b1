"""What the comparison shows, and of what: its columns, their order, the baseline, the target."""

from __future__ import annotations

from dataclasses import replace

from engine.plan.text import clean
from engine.report.columns import COLUMNS
from tui import chosen_columns
from tui.background import in_background
from tui.screens.compare_cells import on_screen
from tui.screens.compare_columns import Order, Ticks
from tui.screens.compare_goal import Goal, GoalForm
from tui.screens.compare_taking import CompareTaking
from tui.screens.picker import Item, Picker
from tui.widgets import format as show

_PLAN = "the plan's order"


class CompareChoosing(CompareTaking):
    """Asks in lists and a small form, and makes the table again by the answers."""

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
