"""From rows of the comparison to the curves below the table: one for each strategy. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from engine.journal.history import Axis, Buckets
from engine.journal.views import RunView
from engine.report.comparison import Row
from tui.compared import Look
from tui.screens.live_metrics import KINDS, Kind, Metric
from tui.screens.live_plots import MEANINGS, Shown, View, framed, x_limits
from tui.widgets.axis import Limits
from tui.widgets.series import Curve, Marks, Plot

MOST = len(MEANINGS)
"""Strategies that are drawn at once: more curves than signs to tell them apart by tell nothing."""


@dataclass(frozen=True, slots=True)
class Line:
    """A strategy on the chart: the repeats that its curve is the mean of, and its sign's place."""

    name: str
    runs: tuple[RunView, ...]
    nth: int


def drawn(
    rows: Sequence[Row], planned: Sequence[Row], here: str, marked: Sequence[str]
) -> tuple[str, ...]:
    """The keys of the rows that are drawn, each at the place of its sign.

    Those that the user marked, else the first ones; the row under the cursor in any case. Signs go
    by the order of the plans, so that sorting the table does not give a row another one.
    """
    keys = [row.key for row in rows]
    chosen = [key for key in keys if key in marked] or keys
    shown = chosen[:MOST]
    if here in keys and here not in shown:
        shown = [*shown[: MOST - 1], here]
    return tuple(row.key for row in planned if row.key in shown)


def lines(look: Look, rows: Sequence[Row], shown: Sequence[str], here: str) -> tuple[Line, ...]:
    """The lines of the rows with those keys, that of the row under the cursor foremost."""
    by_key = {row.key: row for row in rows}
    found = []
    for nth, key in enumerate(shown):
        row = by_key.get(key)
        runs = _repeats(look, row) if row is not None else ()
        if row is not None and runs:
            found.append((key != here, Line(look.name(row), runs, nth)))
    return tuple(line for _, line in sorted(found, key=lambda each: each[0]))


def _repeats(look: Look, row: Row) -> tuple[RunView, ...]:
    """The runs that are done; where none is, the one at hand. As with the figures of the table."""
    done = [each for each in row.repeats if each.state == "done"]
    chosen = done or [each for each in row.repeats if each.run == row.figures.run]
    runs = [look.run(each) for each in chosen or row.repeats[:1]]
    return tuple(run for run in runs if run is not None and run.history.steps)


def shown_runs(made: Sequence[Line]) -> list[Shown]:
    """All runs on the chart, for what the axis covers."""
    return [Shown(run, line.nth + 1) for line in made for run in line.runs]


def plot(metric: Metric, made: Sequence[Line], view: View, width: int) -> Plot:
    """One metric of some strategies, for a chart ``width`` cells wide; the first is foremost."""
    kind, limits = KINDS[metric], x_limits(shown_runs(made), view)
    series: list[Curve | Marks] = []
    for place, line in enumerate(made):
        series.extend(_series(kind, line, view, limits, width, foremost=place == 0))
    found = framed(kind, series, view, limits, width, "no step was made yet")
    repeated = max((len(line.runs) for line in made), default=1) > 1
    return replace(found, title=f"{kind.title}, mean of repeats") if repeated else found


def _series(
    kind: Kind, line: Line, view: View, limits: Limits, width: int, *, foremost: bool
) -> list[Curve | Marks]:
    margin = 0.05 * limits.span
    low, high = max(0.0, limits.low - margin), limits.high
    found = [kind.get(run.history, view.axis, low, high, width) for run in line.runs]
    parts = [each for each in found if each is not None and len(each.x)]
    meaning = MEANINGS[line.nth % len(MEANINGS)]
    series: list[Curve | Marks] = []
    if parts:
        series.append(
            Curve(
                name=line.name,
                meaning=meaning,
                buckets=together(parts),
                nth=line.nth,
                band=view.band and foremost,
            )
        )
    marks = _marks(kind, line, view.axis, meaning)
    return [*series, marks] if marks is not None else series


def together(parts: Sequence[Buckets]) -> Buckets:
    """The mean of several repeats, as far as all of them reach; its spread is over steps and
    repeats.

    Where repeats have been cut into other stretches, or other steps began at other times, values
    in between are taken in proportion.
    """
    if len(parts) == 1:
        return parts[0]
    sound = [each for each in parts if (each.count > 0).any()]
    if len(sound) < 2:
        return (sound or list(parts))[0]
    # The coarsest has the fewest places: the others know more in between, not less.
    x = min((each.x for each in sound), key=len)
    ends = min(float(each.x[-1]) for each in sound)
    begins = max(float(each.x[0]) for each in sound)
    x = x[(x >= begins) & (x <= ends)]

    def at(each: Buckets, values: np.ndarray) -> np.ndarray:
        known = each.count > 0
        return np.interp(x, each.x[known], values[known].astype(np.float64))

    means = np.array([at(each, each.mean) for each in sound])
    spread = np.array([at(each, np.square(each.std.astype(np.float64))) for each in sound])
    counts = np.array([at(each, each.count) for each in sound]).sum(axis=0)
    return Buckets(
        x=x,
        low=np.array([at(each, each.low) for each in sound]).min(axis=0).astype(np.float32),
        high=np.array([at(each, each.high) for each in sound]).max(axis=0).astype(np.float32),
        mean=means.mean(axis=0).astype(np.float32),
        std=np.sqrt(spread.mean(axis=0) + means.var(axis=0)).astype(np.float32),
        count=np.maximum(1, np.rint(counts)).astype(np.int64),
    )


def _marks(kind: Kind, line: Line, axis: Axis, meaning: str) -> Marks | None:
    """Validations at steps that every repeat has reached, their mean over repeats."""
    if kind.validation is None:
        return None
    by_step: dict[int, list[tuple[float, float]]] = {}
    for run in line.runs:
        for each in run.validations:
            at = run.history.at(axis, float(each.step))
            by_step.setdefault(each.step, []).append((at, kind.validation(each)))
    whole = [each for _, each in sorted(by_step.items()) if len(each) == len(line.runs)]
    points = [(_mean([x for x, _ in each]), _mean([y for _, y in each])) for each in whole]
    points = [(x, y) for x, y in points if math.isfinite(x)]
    if not points:
        return None
    return Marks(
        name="val",
        meaning=meaning,
        x=np.array([x for x, _ in points], np.float64),
        y=np.array([y for _, y in points], np.float64),
        nth=line.nth,
    )


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values) if all(map(math.isfinite, values)) else math.nan
