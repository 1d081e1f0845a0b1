"""The table of strategies, from what experiments planned and what their journals say. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from engine.journal.views import RunView
from engine.plan.runs import RunPlan
from engine.report.accuracy_time import target_of
from engine.report.against import compared
from engine.report.comparison import Choices, Comparison, Row, Source
from engine.report.difference import Difference
from engine.report.entries import Entry, entries, views
from engine.report.figures import Figures
from engine.report.measured import measured, planned, with_target
from engine.report.repeats import together

_AS_USUAL = Choices()


def compare(sources: Sequence[Source], choices: Choices = _AS_USUAL) -> Comparison:
    """The runs of these experiments as rows, one for each strategy of each."""
    known = views(sources)
    view = choices.view if choices.view in known else known[0]
    shown = entries(sources, view)
    target, price = _asked(sources, choices)
    made = [[_figures(entry, *run, price) for run in entry.runs] for entry in shown]
    given = target is not None
    if target is None:
        target = target_of(
            [each.best_top1 for each in runs if each.repeats and each.best_top1 is not None]
            for runs in made
        )
    rows = []
    for entry, runs in zip(shown, made, strict=True):
        aimed = tuple(
            with_target(figures, run, target)
            for figures, (_, run) in zip(runs, entry.runs, strict=True)
        )
        rows.append(
            Row(
                key=entry.key,
                figures=together(aimed),
                repeats=aimed,
                difference=Difference(call="unknown"),
            )
        )
    rows = _by_kind(rows)
    baseline = _baseline(rows, choices.baseline)
    return Comparison(
        rows=tuple(compared(rows, baseline)),
        baseline=baseline.key if baseline is not None else "",
        view=view,
        views=known,
        target=target,
        target_given=given,
        price=price,
        held=(),
        remarks=(),
        verdict="",
    )


def _asked(sources: Sequence[Source], choices: Choices) -> tuple[float | None, float | None]:
    """The target and the price: those chosen for the table, else the first experiment's."""
    target, price = choices.target, choices.price
    for source in sources:
        settings = source.plan.settings
        target = settings.target_accuracy if target is None else target
        price = settings.price if price is None else price
    return target, price


def _figures(entry: Entry, plan: RunPlan, run: RunView | None, price: float | None) -> Figures:
    if run is None:
        return planned(plan, entry.source.name)
    return measured(run, plan, entry.source.name, crashed=entry.source.crashed, price=price)


def _by_kind(rows: Sequence[Row]) -> list[Row]:
    """Rows of one kind of device together; what is not known yet is with the first."""
    kinds = list(dict.fromkeys(row.figures.device_kind for row in rows if row.figures.device_kind))
    return sorted(
        rows,
        key=lambda row: kinds.index(row.figures.device_kind) if row.figures.device_kind else 0,
    )


def _baseline(rows: Sequence[Row], chosen: str | None) -> Row | None:
    wanted = [row for row in rows if row.key == chosen]
    plain = [row for row in rows if row.figures.name == "single"]
    return next(iter([*wanted, *plain, *rows]), None)
