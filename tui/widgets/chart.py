"""The chart: a plot on the screen, repainted row by row where something changed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from tui.widgets.plot import draw
from tui.widgets.series import Drawing, Plot, Run


class Chart(Widget):
    """Shows the ``Plot`` it was last given. Drawing takes 1-3 ms for 80x20 cells."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "chart--title",
        "chart--label",
        "chart--value",
        "chart--rule",
        "chart--axis",
        "chart--tick",
        "chart--plot",
        "chart--band",
        "chart--outlier",
        "chart--edge",
        "chart--cursor",
        "chart--train",
        "chart--validation",
        "chart--speed",
        "chart--rate",
        "chart--wait",
        "chart--time",
        "chart--run2",
        "chart--run3",
        "chart--run4",
        "chart--run5",
        "chart--run6",
    }

    DEFAULT_CSS = """
    Chart {
        height: 1fr;
        width: 1fr;
        .chart--title { color: $foreground; text-style: bold; }
        .chart--label { color: $quiet; }
        .chart--value { color: $foreground; text-style: bold; }
        .chart--rule { color: $faint; }
        .chart--axis { color: $faint; }
        .chart--tick { color: $quiet; }
        .chart--plot { color: $foreground; }
        .chart--band { color: $band; }
        .chart--outlier { color: $quiet; }
        .chart--edge { color: $warning; }
        .chart--cursor { color: $quiet; }
        .chart--train { color: $series-train; }
        .chart--validation { color: $series-validation; text-style: bold; }
        .chart--speed { color: $series-speed; }
        .chart--rate { color: $series-rate; }
        .chart--wait { color: $series-wait; }
        .chart--time { color: $series-time; }
        .chart--run2 { color: $series-validation; }
        .chart--run3 { color: $series-time; }
        .chart--run4 { color: $series-speed; }
        .chart--run5 { color: $series-rate; }
        .chart--run6 { color: $series-wait; }
    }
    """

    ALLOW_SELECT = False

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._plot: Plot | None = None
        self._drawing = Drawing((), None)
        self._subject: object = None
        self._way: object = None
        self._subjects: tuple[object, ...] = ()
        self._shown_at = 0.0

    @property
    def rows(self) -> list[str]:
        """The drawing as plain text."""
        return ["".join(text for text, _ in row) for row in self._drawing.rows]

    def show(self, plot: Plot) -> None:
        """Draws ``plot``; only rows that differ from what is there are painted again."""
        self._plot = plot
        self._draw()

    def wants(self, way: object, subjects: Sequence[object], pause: float) -> bool:
        """Whether a new plot is due: seen another ``way``, or of other ``subjects``.

        Where only the subjects grew, at most every ``pause`` seconds. Subjects are compared by
        identity: a frozen view that is the same object says the same.
        """
        way = (way, self.size)
        now = time.monotonic()
        same = len(subjects) == len(self._subjects) and all(
            new is old for new, old in zip(subjects, self._subjects, strict=True)
        )
        if way == self._way and (same or now - self._shown_at < pause):
            return False
        self._way, self._subjects, self._shown_at = way, tuple(subjects), now
        return True

    def on_resize(self) -> None:
        self._draw()

    def _draw(self) -> None:
        width, height = self.size
        if self._plot is None or width < 1 or height < 1:
            return
        plot = self._plot
        subject = (plot.title, plot.unit, plot.y_log)
        held = self._drawing if self._subject == subject else None
        before = self._drawing.rows
        self._drawing = draw(plot, width, height, held)
        self._subject = subject
        after = self._drawing.rows
        if len(before) != len(after):
            self.refresh()
            return
        changed = [
            Region(0, y, width, 1)
            for y, (old, new) in enumerate(zip(before, after, strict=True))
            if old != new
        ]
        if changed:
            self.refresh(*changed)

    def render_line(self, y: int) -> Strip:
        rows = self._drawing.rows
        base = self.rich_style
        if y >= len(rows):
            return Strip.blank(self.size.width, base)
        row: tuple[Run, ...] = rows[y]
        return Strip(
            [
                Segment(text, base + self.get_component_rich_style(f"chart--{style}", partial=True))
                for text, style in row
            ]
        ).adjust_cell_length(self.size.width, base)
