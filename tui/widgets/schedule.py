"""The learning rate of a training that was not started yet: its curve over the epochs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content

from engine.journal.curves import Buckets
from engine.plan import learning_rate
from engine.plan.config import Settings
from tui.widgets import format as show
from tui.widgets.axis import Limits
from tui.widgets.chart import Chart
from tui.widgets.fitting import wrapped
from tui.widgets.line import Line
from tui.widgets.series import Curve, Marks, Plot

_POINTS = 600
"""More than the widest screen has dot columns; between two of them a schedule hardly bends."""


class SchedulePane(Vertical):
    """The curve, and below it the schedule in words."""

    DEFAULT_CSS = """
    SchedulePane > Line {
        padding: 0;
        height: 3;
    }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._shown: tuple[object, ...] = ()

    def compose(self) -> ComposeResult:
        yield Chart()
        yield Line()

    def show(self, settings: Settings, images: int | None, ascii: bool = False) -> None:
        """``images``: to train on; ``None`` while that is not known."""
        line = self.query_one(Line)
        if (settings, images, line.room) == self._shown or not line.room:
            return
        self._shown = (settings, images, line.room)
        self.query_one(Chart).show(schedule_plot(settings, images, ascii))
        told = wrapped(learning_rate.sentence(settings, images), line.room) if images else []
        line.show(Content.styled("\n".join(told), "$quiet"))


def schedule_plot(settings: Settings, images: int | None, ascii: bool = False) -> Plot:
    """The learning rate of every step, on an axis in epochs; a mark where the warm-up ends."""
    if not images:
        return Plot(
            title="Learning rate",
            series=(),
            x=Limits(0.0, float(settings.epochs)),
            x_name="epoch",
            waiting="drawn once a dataset is chosen",
            ascii=ascii,
        )
    per_epoch = len(learning_rate.batch_sizes(images, settings.batch_size))
    made = learning_rate.schedule(settings, per_epoch)
    last = made.total_steps - 1
    top = min(made.warmup_steps, last)
    steps = np.union1d(np.linspace(0, last, _POINTS).astype(np.int64), [top])
    points = _points(steps / per_epoch, np.array([made(int(step)) for step in steps]))
    marks = [_mark("peak", 0, top / per_epoch, made(top))]
    if settings.max_steps is not None and settings.max_steps <= last:
        end = settings.max_steps - 1
        marks.append(_mark("ended at", 3, end / per_epoch, made(end)))
    elif last > top:
        marks.append(_mark("last", 1, last / per_epoch, made(last)))
    return Plot(
        title="Learning rate",
        series=(
            *marks,
            Curve(name="planned", meaning="rate", buckets=points, band=False, valued=False),
        ),
        x=Limits(0.0, float(settings.epochs)),
        x_name="epoch",
        floor=0.0,
        include=(0.0,),
        smoothing=0.0,
        number=_number,
        ascii=ascii,
    )


def _mark(name: str, nth: int, x: float, y: float) -> Marks:
    return Marks(name=name, meaning="validation", nth=nth, x=np.array([x]), y=np.array([y]))


def _points(x: NDArray[np.float64], y: NDArray[np.float64]) -> Buckets:
    """Single values as buckets of one."""
    values = y.astype(np.float32)
    return Buckets(
        x=x.astype(np.float64),
        low=values,
        high=values,
        mean=values,
        std=np.zeros(len(values), np.float32),
        count=np.ones(len(values), np.int64),
    )


def _number(value: float | None) -> str:
    return show.UNKNOWN if value is None else f"{value:.3g}"
