"""What a chart is given to draw, and what comes of it: data alone. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from engine.journal.history import Buckets
from tui.widgets import format as show
from tui.widgets.axis import Limits, Scale

Run = tuple[str, str]
"""Some text and the name of its style: a component class of the chart without its prefix."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """A metric of every step. ``meaning`` names its colour, ``nth`` its dash."""

    name: str
    meaning: str
    buckets: Buckets
    nth: int = 0
    band: bool = True
    valued: bool = True
    """Whether the legend tells its value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """Sparse values, one mark each; never joined to a line."""

    name: str
    meaning: str
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    nth: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """What a chart shows. The values of all series are in the units of the y axis."""

    title: str
    series: Sequence[Curve | Marks]
    x: Limits
    x_scale: Scale = "linear"
    x_name: str = "step"
    unit: str = ""
    y_log: bool = False
    floor: float | None = None
    """The y axis never goes below this."""
    ceiling: float | None = None
    robust: bool = False
    """What lies far above all the rest leaves the scale, for the rest to be read."""
    include: tuple[float, ...] = ()
    """Values that the y axis holds in any case."""
    calm: float = 0.0
    """The y axis spans at least this share of its middle: noise of a steady value stays small."""
    smoothing: float = 0.015
    """Share of what is in sight that the moving average reaches over."""
    cursor: float | None = None
    waiting: str = ""
    """Shown instead of curves while there are none."""
    number: Callable[[float | None], str] = field(default=show.plain)
    ascii: bool = False


@dataclass(frozen=True, slots=True)
class Drawing:
    """The finished rows, and what to hold on to next time."""

    rows: tuple[tuple[Run, ...], ...]
    limits: Limits | None
    margin: int = 6
    """Cells left of the curves."""
