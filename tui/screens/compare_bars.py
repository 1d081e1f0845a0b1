"""Which figures the comparison shows as bars, and what of its rows goes into them. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

from engine.report.comparison import Comparison, Row
from engine.report.figures import Figures
from tui.screens.live_metrics import Metric
from tui.widgets import format as show
from tui.widgets.bars import Bar

BarMetric = Literal["throughput", "memory", "time"]
Below = Metric | BarMetric
"""What can be shown below the table."""

CYCLE: tuple[Below, ...] = ("loss", "top1", "speed", "throughput", "memory", "time")


class Kind(NamedTuple):
    """How a figure is read, spelled and scaled for its axis, and the colour of its bars."""

    title: str
    value: Callable[[Figures], float | None]
    spelled: Callable[[float | None], str]
    scaled: float
    style: str


KINDS: dict[Below, Kind] = {
    "throughput": Kind(
        "Images/s", lambda each: each.images_per_second, show.rate, 1.0, "$series-speed"
    ),
    "memory": Kind(
        "Peak memory, GiB", lambda each: each.peak_memory, show.gib, 2.0**30, "$series-train"
    ),
    "time": Kind(
        "Time to accuracy",
        lambda each: each.seconds_to_accuracy,
        show.seconds,
        1.0,
        "$series-time",
    ),
}


def from_on(below: Below) -> tuple[Kind, ...]:
    """All figures that are shown as bars, the chosen one first."""
    names = list(KINDS)
    at = names.index(below)
    return tuple(KINDS[name] for name in (*names[at:], *names[:at]))


def title(kind: Kind, comparison: Comparison) -> str:
    """With the accuracy that the time is measured to, and its unit on the axis."""
    if kind is not KINDS["time"]:
        return kind.title
    goal = comparison.target
    return f"Seconds to {show.percent(goal)} top-1" if goal is not None else "Time to accuracy"


def found(
    kind: Kind, rows: Sequence[Row], here: str, named: Callable[[Row], str]
) -> tuple[Bar, ...]:
    """A bar for each row, in the order of the table."""
    return tuple(_bar(kind, row, row.key == here, named(row)) for row in rows)


def _bar(kind: Kind, row: Row, here: bool, name: str) -> Bar:
    done = [kind.value(each) for each in row.repeats if each.repeats]
    known = [each for each in done if each is not None]
    several = len(known) > 1
    return Bar(
        name=name,
        value=kind.value(row.figures),
        low=min(known) if several else None,
        high=max(known) if several else None,
        here=here,
    )
