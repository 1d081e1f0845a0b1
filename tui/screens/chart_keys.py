"""The keys that change how charts are seen: cursor, zoom, axis, scale, smoothing, band."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.screen import Screen

from tui import output
from tui.screens.live_plots import AXES, SMOOTHINGS, Shown, View, closest, extents, x_end
from tui.widgets.axis import Limits
from tui.widgets.viewport import Viewport


class ChartKeys(Screen[None]):
    """A screen whose charts share one viewport and one cursor."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "point(-1)", "cursor", key_display="← →", tooltip="cursor left"),
        Binding("right", "point(1)", "cursor right", show=False),
        Binding("shift+left", "pan(-1)", "pan left", show=False),
        Binding("shift+right", "pan(1)", "pan right", show=False),
        Binding("home", "end(False)", "cursor to the first step", show=False),
        Binding("end", "end(True)", "cursor to the newest step", show=False),
        Binding("plus,equals_sign", "zoom(0.5)", "zoom", key_display="+ - 0", tooltip="zoom in"),
        Binding("minus", "zoom(2.0)", "zoom out", show=False),
        Binding("0", "whole", "show the whole", show=False),
        Binding("x", "axis", "axis"),
        Binding("g", "log_scale", "log scale", show=False),
        Binding("z", "smooth", "smoothing", show=False),
        Binding("b", "band", "band of the spread", show=False),
        Binding("backspace,escape", "cursor_off", "cursor off", key_display="Backspace"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.view = View(ascii=not output.is_utf8())

    def shown_runs(self) -> list[Shown]:
        """The runs on the charts, the foremost first."""
        raise NotImplementedError

    def chart_cells(self) -> int:
        """How many cells across the largest chart draws its curves in, about."""
        raise NotImplementedError

    def view_changed(self) -> None:
        """Paints the charts again."""
        raise NotImplementedError

    def _change(self, **changes: object) -> None:
        before = self.view
        self.view = replace(self.view, **changes)  # type: ignore[arg-type]
        if self.view != before:
            self.view_changed()
            self.refresh_bindings()

    def _move(self, viewport: Viewport) -> None:
        self._change(viewport=viewport)

    def _ground(self) -> tuple[Limits, Limits] | None:
        """What the data covers and what is shown of it; ``None`` before a first step."""
        runs = self.shown_runs()
        extent = extents([each.run for each in runs], self.view.axis)
        if extent is None:
            return None
        return extent, self.view.viewport.limits(extent, x_end(runs, self.view.axis))

    def action_point(self, by: int) -> None:
        ground = self._ground()
        if ground is not None:
            self._move(self.view.viewport.pointed(by / max(1, self.chart_cells()), *ground))

    def action_pan(self, by: int) -> None:
        ground = self._ground()
        if ground is not None:
            self._move(self.view.viewport.panned(by * 0.25, *ground))

    def action_end(self, newest: bool) -> None:
        ground = self._ground()
        if ground is None:
            return
        extent, shown = ground
        viewport = self.view.viewport
        place = extent.high if newest else extent.low
        if viewport.window is not None:
            low = extent.high - shown.span if newest else min(extent.low, shown.low)
            window = Limits(low, low + shown.span)
            viewport = replace(viewport, window=window, following=newest)
        self._move(viewport.at(place))

    def action_zoom(self, factor: float) -> None:
        ground = self._ground()
        if ground is not None:
            least = closest(self.shown_runs(), self.view.axis)
            self._move(self.view.viewport.zoomed(factor, *ground, least))

    def action_whole(self) -> None:
        self._move(replace(self.view.viewport, window=None, following=True))

    def action_cursor_off(self) -> None:
        self._move(self.view.viewport.at(None))

    def action_axis(self) -> None:
        """Steps, time, epochs; the stretch in sight does not carry over."""
        following = AXES[(AXES.index(self.view.axis) + 1) % len(AXES)]
        if following == "epoch" and not any(each.run.ready for each in self.shown_runs()):
            following = "step"
        self._change(axis=following, viewport=Viewport())

    def action_log_scale(self) -> None:
        self._change(log=not self.view.log)

    def action_smooth(self) -> None:
        self._change(smoothing=(self.view.smoothing + 1) % len(SMOOTHINGS))
        self.app.notify(f"smoothing: {SMOOTHINGS[self.view.smoothing][0]}", timeout=2)

    def action_band(self) -> None:
        self._change(band=not self.view.band)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "cursor_off":
            return self.view.viewport.cursor is not None
        return super().check_action(action, parameters)
