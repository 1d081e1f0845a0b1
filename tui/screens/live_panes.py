"""The panes below the charts of the live view: time, devices, log."""

from __future__ import annotations

from textual.content import Content

from tui.screens import live_model as model
from tui.screens.chart_keys import ChartKeys
from tui.screens.live_devices import devices
from tui.screens.live_model import Look
from tui.widgets import panels
from tui.widgets.devices import devices_pane, devices_strip
from tui.widgets.line import Line, heading
from tui.widgets.time import Timing, time_pane


class LivePanes(ChartKeys):
    """Three panes where it is wide and high; devices are one line where it is not."""

    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012
        (0, "-narrow"),
        (110, "-wide"),
        (140, "-full"),
    ]
    VERTICAL_BREAKPOINTS = [  # noqa: RUF012
        (0, "-low"),
        (30, "-middle"),
        (38, "-high"),
        (46, "-tall"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._sampled: tuple[object, ...] = ()
        self._timed: tuple[object, ...] = ()

    def line(self, name: str) -> Line:
        return self.query_one(f"#{name}", Line)

    @property
    def is_high(self) -> bool:
        return self.has_class("-high") or self.has_class("-tall")

    def show_panes(self, look: Look) -> None:
        """Paints what changed below the charts."""
        self._show_devices(look)
        self._show_time(look)
        self._show_log(look)

    def _show_devices(self, look: Look) -> None:
        """Anew with each sample: they come once a second."""
        shown = devices(look.snapshot, look.shown.view)
        pane = self.line(
            "devices" if self.has_class("-full") and not self.has_class("-low") else "strip"
        )
        size = pane.content_size
        samples = (shown.host[-1:], shown.gpus.samples[-1:], shown.gpus.found)
        sampled = (*samples, shown.ranks, shown.as_of)
        if (pane, size, *sampled) == self._sampled:
            return
        self._sampled = (pane, size, *sampled)
        if pane.id == "strip":
            pane.show(devices_strip(shown, size.width))
        else:
            pane.show(devices_pane(shown, size.width, size.height))

    def _show_time(self, look: Look) -> None:
        pane = self.line("time")
        size = pane.content_size
        if self.has_class("-low") or (look.insight, size) == self._timed:
            return
        self._timed = (look.insight, size)
        timing = look.insight.timing if look.insight is not None else Timing()
        pane.show(time_pane(timing, size.width, size.height))

    def _show_log(self, look: Look) -> None:
        log = self.line("log")
        width, height = log.content_size
        several = len(look.entries) > 1
        # Above there is seldom room for it.
        remark = model.batch(look) if self.has_class("-narrow") else ""
        rows = max(0, height - 1)
        newest = look.snapshot.lines[-rows:] if rows else ()
        lines = [
            panels.log_line(each.t, each.run, each.source, each.level, each.text, several)
            for each in newest
        ]
        rows_shown = panels.log_rows(lines, width, rows)
        log.show(Content("\n").join([heading("Log", width, remark), *rows_shown]))
