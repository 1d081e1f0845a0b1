"""What is told of a row of the comparison in full, section by section. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence

from textual.content import Content

from engine.journal.views import RunView
from engine.plan.text import clean
from engine.report.cells import factor
from engine.report.comparison import Comparison, Row
from engine.report.figures import Figures
from tui.compared import Look, run_to_look_at
from tui.screens.compare_settings import differing
from tui.widgets import format as show
from tui.widgets.fitting import wrapped
from tui.widgets.line import heading
from tui.widgets.preparing import tries
from tui.widgets.tables import table
from tui.widgets.verdict import verdict_lines


def details(look: Look, comparison: Comparison, row: Row, width: int) -> list[Content]:
    """All sections that have something to say."""
    sections = [
        _ended(look, row, width),
        _difference(comparison, row, width),
        _settings(look, comparison, row, width),
        _repeats(row, width),
        _starting(look, row, width),
        _search(look, row, width),
        _diagnosis(look, row, width),
    ]
    lines = [line for section in sections if section for line in (*section, Content(""))]
    return lines[:-1]


def _ended(look: Look, row: Row, width: int) -> list[Content]:
    """Why runs of it failed or were stopped; what several have in common is said once."""
    told: dict[tuple[str, str, str], list[str]] = {}
    for each in row.repeats:
        if each.reason and each.state != "done":
            run = look.run(each)
            key = (each.state, each.reason, run.detail if run is not None else "")
            told.setdefault(key, []).append(str(each.repeat + 1))
    lines: list[Content] = []
    for (state, reason, detail), which in told.items():
        of = f" (repeat {', '.join(which)})" if len(row.repeats) > 1 else ""
        sentence = wrapped(f"{state}{of}: {clean(reason)}", width, "  ")
        lines += [Content.styled(line, "$error") for line in sentence]
        lines += [Content.styled(f"  {clean(e)}", "$quiet") for e in detail.splitlines()]
    return lines


def _difference(comparison: Comparison, row: Row, width: int) -> list[Content]:
    """How much faster it is than the baseline, and how sure that is."""
    base = comparison.row(comparison.baseline)
    found = row.difference
    if base is None or found.call == "unknown":
        return []
    lines = [heading("Speed-up", width)]
    if found.call == "baseline":
        return [*lines, Content.styled("  the baseline of the table", "$quiet")]
    pairs = f"{found.pairs} {'pair' if found.pairs == 1 else 'pairs'} of repeats"
    name, ratio = clean(base.figures.name), found.ratio
    text = f"{factor(ratio)} times the throughput of {name}" if ratio is not None else name
    text += f": {found.call}, from {pairs}"
    if found.low is None and found.pairs < 2:
        text += "; one pair has no interval"
    elif found.low is not None and found.high is not None:
        text += f"; 95 % interval {found.low:.3f}–{found.high:.3f}"
    if found.repeats_to_settle is not None:
        text += f"; {found.repeats_to_settle} repeats in all would settle it"
    return [*lines, *(Content(f"  {line}") for line in wrapped(text, width - 2, "  "))]


def _settings(look: Look, comparison: Comparison, row: Row, width: int) -> list[Content]:
    base = comparison.row(comparison.baseline)
    if base is None or base.key == row.key or not base.repeats or not row.repeats:
        return []
    here, there = look.plan(row.repeats[0]), look.plan(base.repeats[0])
    if here is None or there is None:
        return []
    name = clean(base.figures.name)
    lines = [heading(f"Settings that differ from {name}", width)]
    found = differing(here, there)
    if not found:
        return [*lines, Content.styled("  none", "$quiet")]
    rows = [(label, of_here, of_there) for label, of_here, of_there in found]
    return [*lines, *table(("setting", clean(row.figures.name), name), rows, width)]


def _repeats(row: Row, width: int) -> list[Content]:
    """A line per run; below them the figures of the table, where there are several."""
    several = len(row.repeats) > 1
    titles = "repeat,state,seed,images/s,per batch,p95,stall,val loss,top-1,peak memory,training"
    rows = [_figures(str(each.repeat + 1), each) for each in row.repeats]
    if several:
        rows.append(_figures("together", row.figures))
    lines = [heading("Repeats" if several else "Figures", width)]
    return [*lines, *table(titles.split(","), rows, width)]


def _figures(name: str, each: Figures) -> tuple[str, ...]:
    return (
        name,
        each.state,
        "" if each.seed is None or not each.run else str(each.seed),
        show.rate(each.images_per_second),
        show.brief(each.batch_seconds_median),
        show.brief(each.batch_seconds_p95),
        show.percent(each.stall_share),
        show.plain(each.val_loss),
        show.percent(each.top1),
        show.gib(each.peak_memory),
        show.seconds(each.train_seconds),
    )


def _starting(look: Look, row: Row, width: int) -> list[Content]:
    """Seconds of each phase before the first step: in no rate of the table."""
    runs = [(each, run) for each in row.repeats if (run := look.run(each)) and run.phases]
    if not runs:
        return []
    spent = [phases(each, run) for each, run in runs]
    names = list(dict.fromkeys(name for found in spent for name in found))
    titles = ["repeat", *(clean(name) for name in names), "start-up"]
    rows = []
    for (each, _), found in zip(runs, spent, strict=True):
        cells = [show.brief(found.get(name)) for name in names]
        rows.append([str(each.repeat + 1), *cells, show.brief(each.startup_seconds)])
    head = heading("Starting up, in no rate above", width)
    lines = [head, *_upright(titles, rows, width)]
    first = [each.first_epoch_seconds for each, _ in runs if each.first_epoch_seconds is not None]
    if first:
        text = ", ".join(show.brief(each) for each in first)
        lines.append(Content.styled(f"  first epoch, in no rate either: {text}", "$quiet"))
    return lines


def phases(figures: Figures, run: RunView) -> dict[str, float | None]:
    """Seconds of what came before the first step, by name; ``None`` while it lasts."""
    began, took = run.started, figures.startup_seconds
    until = began + took if began is not None and took is not None else math.inf
    seconds: dict[str, float | None] = {}
    for phase in run.phases:
        if phase.started < until:
            before = seconds.get(phase.name, 0.0)
            known = phase.seconds is not None and before is not None
            seconds[phase.name] = (before or 0.0) + (phase.seconds or 0.0) if known else None
    return seconds


def _upright(titles: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> list[Content]:
    """A table with a row per title: there are more phases than repeats."""
    heads = ["phase", *(f"repeat {row[0]}" for row in rows)] if len(rows) > 1 else ["phase", "took"]
    turned = [[title, *(row[n] for row in rows)] for n, title in enumerate(titles) if n]
    return _left_first(heads, turned, width)


def _left_first(titles: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> list[Content]:
    """The first column to the left, as words are read."""
    first = max(len(row[0]) for row in (titles, *rows))
    aligned = [[row[0].ljust(first), *row[1:]] for row in rows]
    return table([titles[0].ljust(first), *titles[1:]], aligned, width)


def _search(look: Look, row: Row, width: int) -> list[Content]:
    """The batch sizes that were tried for it."""
    source = look.source(row.figures.experiment)
    searches = source.view.searches if source is not None else ()
    found = next((each for each in searches if each.strategy == row.figures.name), None)
    if found is None or not found.tried:
        return []
    remark = ""
    if found.found is not None:
        best = found.found.batch_size
        remark = "none could be measured" if best is None else f"best: {best}"
    lines = [heading("Search for the best batch", width, remark), *tries(found.tried, width)]
    if found.found is not None and found.found.reason:
        lines += [
            Content.styled(f"  {each}", "$quiet")
            for each in wrapped(clean(found.found.reason), width - 2)
        ]
    return lines


def _diagnosis(look: Look, row: Row, width: int) -> list[Content]:
    """Of the run that is worth looking at: its verdict, and where its time and memory went."""
    from engine.report.diagnose import judge
    from engine.report.situation import situation
    from tui.screens.diagnosis import where

    chosen = run_to_look_at(row)
    run, plan = look.run(chosen), look.plan(chosen)
    if run is None or plan is None or not run.history.steps:
        return []
    here = situation(run, plan, look.surroundings(row.figures.experiment))
    of = f"repeat {chosen.repeat + 1}" if len(row.repeats) > 1 else ""
    lines = [heading("Diagnosis", width, of), *verdict_lines(judge(here), width)]
    return [*lines, *where(here, width)]
