"""Devices: every GPU with its last minutes, and the machine around them."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content

from engine.plan.text import clean
from tui.feed import Snapshot
from tui.screens.live_devices import devices
from tui.screens.paged import PagedScreen
from tui.widgets import gpu
from tui.widgets.devices import Devices
from tui.widgets.fitting import wrapped
from tui.widgets.host import host_rows
from tui.widgets.line import heading

WIDEST = 110
"""Cells across beyond which a history tells no more."""


class DevicesScreen(PagedScreen):
    """Of the machine that the shown run trains on."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d,backspace,escape", "close", "back", key_display="d"),
    ]

    def __init__(self, run: str) -> None:
        super().__init__()
        self._run = run

    def title_of(self, snapshot: Snapshot, width: int) -> Content:
        view, shown = snapshot.view, devices(snapshot, None)
        driver = f"driver {clean(view.gpus.driver)}" if view.gpus.driver else ""
        about = " · ".join(filter(None, (clean(view.machine), driver, shown.as_of)))
        return heading("Devices", width, about)

    def lines_of(self, snapshot: Snapshot, width: int) -> list[Content]:
        shown = devices(snapshot, snapshot.view.run(self._run))
        return devices_lines(shown, min(width, WIDEST))


def devices_lines(shown: Devices, width: int) -> list[Content]:
    """A block for each GPU, then the host."""
    lines: list[Content] = []
    for place, facts in enumerate(shown.gpus.found):
        history = shown.history(place, width)
        lines += [*gpu.block(facts, history, shown.ranks_on(place), width), Content("")]
    if shown.gpus.found:
        lines += [gpu.memory_key(shown.newest), Content("")]
    if shown.gpus.problem:
        lines += [Content.styled(e, "$quiet") for e in wrapped(clean(shown.gpus.problem), width)]
        lines.append(Content(""))
    about = f"{shown.cores} cores" if shown.cores else ""
    return [*lines, heading("Host", width, about), *host_rows(shown.host, shown.cores, width)]
