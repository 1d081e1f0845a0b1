"""From runs and a viewport to the plots of the live view. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from engine.journal.history import Axis
from engine.journal.views import RunView
from tui.screens.live_metrics import KINDS, Kind, Metric
from tui.widgets.axis import Limits, Scale
from tui.widgets.series import Curve, Marks, Plot
from tui.widgets.viewport import Viewport

AXES: tuple[Axis, ...] = ("step", "time", "epoch")

SMOOTHINGS: tuple[tuple[str, float], ...] = (
    ("a little", 5.0),
    ("more", 15.0),
    ("much", 45.0),
    ("none", 0.0),
)
"""Dot columns that the moving average reaches over: as calm in a small chart as in a large one."""

MEANINGS = ("train", "run2", "run3", "run4", "run5", "run6")
"""Colours of the runs when several are laid over each other."""


@dataclass(frozen=True, slots=True)
class View:
    """How the user wants to see the charts."""

    axis: Axis = "step"
    log: bool = False
    smoothing: int = 0
    band: bool = True
    viewport: Viewport = field(default_factory=Viewport)
    ascii: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """A run on the charts; ``number`` is its place among the strategies, from 1."""

    run: RunView
    number: int


def plot(metric: Metric, runs: Sequence[Shown], view: View, width: int) -> Plot:
    """One metric of some runs, for a chart ``width`` cells wide; the first run is the foremost."""
    kind, limits = KINDS[metric], x_limits(runs, view)
    series: list[Curve | Marks] = []
    for nth, each in enumerate(runs):
        series.extend(_series(kind, each, nth if len(runs) > 1 else None, view, limits, width))
    found = framed(kind, series, view, limits, width, _waiting(runs))
    return replace(found, smoothing=0.0) if metric == "lr" else found


def x_limits(runs: Sequence[Shown], view: View) -> Limits:
    """What of the x axis is seen."""
    extent = extents([each.run for each in runs], view.axis)
    return view.viewport.limits(extent or Limits(0.0, 1.0), x_end(runs, view.axis))


def framed(
    kind: Kind,
    series: list[Curve | Marks],
    view: View,
    limits: Limits,
    width: int,
    waiting: str,
) -> Plot:
    """The series in the axes of their kind; ``waiting`` is said where there is nothing in them."""
    scales: dict[Axis, Scale] = {"step": "count", "time": "seconds", "epoch": "linear"}
    return Plot(
        title=kind.title,
        unit=kind.unit,
        series=series,
        x=limits,
        x_scale=scales[view.axis],
        x_name=view.axis,
        y_log=view.log and kind.can_log,
        floor=0.0,
        include=kind.include,
        calm=kind.calm,
        ceiling=kind.ceiling,
        robust=kind.robust,
        smoothing=SMOOTHINGS[view.smoothing][1] / (2.0 * max(width, 8)),
        cursor=view.viewport.cursor,
        waiting=waiting,
        number=kind.number,
        ascii=view.ascii,
    )


def _waiting(runs: Sequence[Shown]) -> str:
    ended = bool(runs) and runs[0].run.state in ("done", "failed", "stopped")
    return "no step was made" if ended else "waiting for the first step"


def extents(runs: Sequence[RunView], axis: Axis) -> Limits | None:
    """The stretch of the axis that the runs cover together; ``None`` before a first step."""
    found = [each for each in (run.history.extent(axis) for run in runs) if each is not None]
    if not found:
        return None
    return Limits(min(low for low, _ in found), max(high for _, high in found))


def x_end(runs: Sequence[Shown], axis: Axis) -> float | None:
    """Where the axis is known to end, by the plan."""
    ready = [each.run.ready for each in runs if each.run.ready is not None]
    if not ready or axis == "time":
        return None
    if axis == "step":
        return float(max(each.total_steps for each in ready))
    return max(each.total_steps / max(each.steps_per_epoch, 1) for each in ready)


def closest(runs: Sequence[Shown], axis: Axis) -> float:
    """How much of the axis the closest view shows: about eight steps."""
    extent = extents([each.run for each in runs], axis)
    steps = max((each.run.history.steps for each in runs), default=0)
    return 8.0 * extent.span / max(steps, 8) if extent is not None else 1.0


def _series(
    kind: Kind, shown: Shown, nth: int | None, view: View, limits: Limits, width: int
) -> list[Curve | Marks]:
    run = shown.run
    alone = nth is None
    margin = 0.05 * limits.span
    found = kind.get(run.history, view.axis, max(0.0, limits.low - margin), limits.high, width)
    series: list[Curve | Marks] = []
    meaning = kind.meaning if alone else MEANINGS[(shown.number - 1) % len(MEANINGS)]
    if found is not None:
        name = "train" if kind.validation else kind.name(run.history)
        series.append(
            Curve(
                name=name if alone else f"{shown.number} {run.strategy}",
                meaning=meaning,
                buckets=found,
                nth=nth or 0,
                band=view.band and (alone or nth == 0) and kind.title != "Learning rate",
            )
        )
    if kind.validation is not None and run.validations:
        places = [run.history.at(view.axis, float(each.step)) for each in run.validations]
        values = [kind.validation(each) for each in run.validations]
        known = np.isfinite(places)
        series.append(
            Marks(
                name="validation" if alone else "val",
                meaning="validation" if alone else meaning,
                x=np.asarray(places, np.float64)[known],
                y=np.asarray(values, np.float64)[known],
                nth=nth or 0,
            )
        )
    return series
