"""The table of strategies, from what experiments planned and what their journals say. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from engine.report.accuracy_time import target_of
from engine.report.against import compared, rates
from engine.report.comparison import Choices, Comparison, Row, Source
from engine.report.difference import Difference
from engine.report.entries import Entries, Entry
from engine.report.evidence import Witness
from engine.report.figures import Figures
from engine.report.held import held
from engine.report.measured import with_target
from engine.report.names import names
from engine.report.remarks import remarks
from engine.report.remembered import remembered
from engine.report.repeats import together
from engine.report.winner import verdict

_AS_USUAL = Choices()


def compare(sources: Sequence[Source], choices: Choices = _AS_USUAL) -> Comparison:
    """The runs of these experiments as rows, one for each strategy of each."""
    entries = Entries(sources)
    view = choices.view if choices.view in entries.views else entries.views[0]
    shown = entries.of(view)
    given, price = _asked(sources, choices)
    runs = remembered(shown, price)
    target = given if given is not None else target_of(_best(each) for each in runs)
    rows = _by_kind([_row(*each, target) for each in zip(shown, runs, strict=True)])
    baseline = _baseline(rows, choices.baseline)
    rows = compared(rows, baseline)
    return Comparison(
        rows=tuple(rows),
        baseline=baseline.key if baseline is not None else "",
        view=view,
        views=entries.views,
        target=target,
        target_given=given is not None,
        price=price,
        held=held(*_witnesses(shown, rows, baseline)),
        remarks=remarks(rows, shown, view),
        verdict=verdict(rows, baseline, over=_is_over(shown)),
    )


def _row(entry: Entry, runs: Sequence[Figures], target: float | None) -> Row:
    aimed = tuple(
        with_target(figures, run, target)
        for figures, (_, run) in zip(runs, entry.runs, strict=True)
    )
    return Row(
        key=entry.key,
        figures=together(aimed),
        repeats=aimed,
        difference=Difference(call="unknown"),
    )


def _best(runs: Sequence[Figures]) -> list[float]:
    return [each.best_top1 for each in runs if each.repeats and each.best_top1 is not None]


def _witnesses(
    shown: Sequence[Entry], rows: Sequence[Row], baseline: Row | None
) -> tuple[list[Witness], str]:
    """The runs that are done, the baseline's first; and what it is called."""
    called = names(rows)
    first = baseline.key if baseline is not None else ""
    witnesses = [
        Witness(
            name=called[entry.key],
            plan=plan,
            run=run,
            machine=entry.source.view.machine,
            cores=entry.source.view.cores,
        )
        for entry in sorted(shown, key=lambda entry: entry.key != first)
        for plan, run in entry.runs
        if run is not None and run.state == "done"
    ]
    return witnesses, called.get(first, "")


def _is_over(shown: Sequence[Entry]) -> bool:
    """Whether no run of the table goes on, or will begin: none does where the supervisor has
    ended, or is dead."""
    alive = [
        entry
        for entry in shown
        if not entry.source.crashed and entry.source.view.state in ("starting", "running")
    ]
    return not any(
        run is None or run.state in ("running", "queued")
        for entry in alive
        for _, run in entry.runs
    )


def _asked(sources: Sequence[Source], choices: Choices) -> tuple[float | None, float | None]:
    """The target and the price: those chosen for the table, else the first experiment's."""
    target, price = choices.target, choices.price
    for source in sources:
        settings = source.plan.settings
        target = settings.target_accuracy if target is None else target
        price = settings.price if price is None else price
    return target, price


def _by_kind(rows: Sequence[Row]) -> list[Row]:
    """Rows of one kind of device together; what is not known yet is with the first."""
    kinds = list(dict.fromkeys(row.figures.device_kind for row in rows if row.figures.device_kind))
    return sorted(
        rows,
        key=lambda row: kinds.index(row.figures.device_kind) if row.figures.device_kind else 0,
    )


def _baseline(rows: Sequence[Row], chosen: str | None) -> Row | None:
    """``chosen``, else ``single``, else the first: but none by itself that has ended and has no
    throughput, to which nothing could be compared."""
    wanted = [row for row in rows if row.key == chosen]
    hopeful = [row for row in rows if rates(row) or _goes_on(row)]
    plain = [row for row in hopeful if row.figures.name == "single"]
    return next(iter([*wanted, *plain, *hopeful, *rows]), None)


def _goes_on(row: Row) -> bool:
    return any(each.state in ("queued", "running") for each in row.repeats)
