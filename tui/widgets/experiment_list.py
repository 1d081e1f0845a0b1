"""The experiments as lines with columns; the cursor stays on its experiment."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content

from tui import messages
from tui.widgets.format import percent, seconds
from tui.widgets.lines import Lines

if TYPE_CHECKING:
    from tui.experiments import ExperimentRow

_MARKS = {
    "starting": ("●", "$primary"),
    "running": ("●", "$primary"),
    "stopping": ("◒", "$warning"),
    "done": ("✓", "$success"),
    "failed": ("✗", "$error"),
    "crashed": ("✗", "$error"),
    "stopped": ("■", "$warning"),
    "silent": ("?", "$quiet"),
}
"""A sign and a colour per state; the word stands beside them."""

_FIXED = 1 + 13 + 11 + 10 + 8 + 12
"""Cells of everything but dataset and strategies, with the gaps after them."""


class ExperimentList(Lines):
    """Newest first. ``show_rows`` takes the experiments; line 0 is the heading."""

    BINDING_GROUP_TITLE = "experiments"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "open", "open")]

    def __init__(self) -> None:
        super().__init__()
        self._all: tuple[ExperimentRow, ...] = ()
        self._rows: list[ExperimentRow] = []
        self._needle = ""

    @property
    def row(self) -> ExperimentRow | None:
        """The experiment under the cursor."""
        at = self.cursor - 1
        return self._rows[at] if 0 <= at < len(self._rows) else None

    @property
    def shown(self) -> int:
        """How many experiments pass the filter."""
        return len(self._rows)

    def show_rows(self, rows: Sequence[ExperimentRow]) -> None:
        if tuple(rows) != self._all:
            self._all = tuple(rows)
            self._make_rows()

    def filter(self, needle: str) -> None:
        """Only those with ``needle`` in their name, dataset, model, state or strategies."""
        self._needle = needle
        self._make_rows()

    def go_to(self, directory: Path) -> None:
        for number, row in enumerate(self._rows):
            if row.directory == directory:
                self.cursor = number + 1
                return

    def action_open(self) -> None:
        if self.row is not None:
            self.post_message(messages.OpenWanted(self.row.directory))

    def watch_cursor(self, old: int, new: int) -> None:
        super().watch_cursor(old, new)
        self.post_message(messages.ExperimentVisited())

    def can_stop_at(self, number: int) -> bool:
        return super().can_stop_at(number) and number > 0

    def line(self, number: int, width: int) -> Content:
        dataset = min(36, max(8, (width - _FIXED) // 2))
        strategies = min(40, max(6, width - _FIXED - dataset))
        if number == 0:
            return Content.styled(
                " "
                + "when".ljust(13)
                + "state".ljust(11)
                + "dataset".ljust(dataset)
                + "model".ljust(10)
                + "strategies".ljust(strategies)
                + "top-1".rjust(8)
                + "time".rjust(12),
                "$quiet",
            )
        row = self._rows[number - 1]
        mark, colour = _MARKS.get(row.state, ("?", "$quiet"))
        here = number == self.cursor and self.has_focus
        return Content.assemble(
            ("▌" if here else " ", "$primary"),
            (_when(row.created).ljust(13), "$quiet"),
            (f"{mark} {row.state}".ljust(11), colour),
            _cut(row.dataset, dataset, "bold"),
            _cut(row.model, 10, ""),
            _cut(_what(row, strategies), strategies, ""),
            (percent(row.best_top1).rjust(8), "bold" if row.best_top1 is not None else ""),
            (seconds(row.seconds).rjust(12), "$quiet"),
        )

    def _make_rows(self) -> None:
        before = self.row
        needle = self._needle.casefold()
        self._rows = [
            row
            for row in self._all
            if needle in " ".join((row.name, row.model, row.state, *row.strategies)).casefold()
        ]
        self.set_count(len(self._rows) + 1 if self._rows else 0)
        if before is not None:
            self.go_to(before.directory)
        self.post_message(messages.ExperimentVisited())


def _what(row: ExperimentRow, width: int) -> str:
    """``single, amp``, and with repeats ``7 of 15 done · single, amp``."""
    names = ", ".join(row.strategies)
    if not row.runs:
        return names
    return (
        f"{row.done} of {row.runs} done · {names}"
        if width > 24
        else f"{row.done}/{row.runs} {names}"
    )


def _cut(text: str, width: int, style: str) -> Content:
    """``text`` in ``width`` cells, the last of them free."""
    cut = Content.styled(text, style).truncate(width - 1, ellipsis=True, pad=True)
    return Content.assemble(cut, " ")


def _when(moment: float) -> str:
    """``20 Nov 15:32``, or with the year once that is another one."""
    local = time.localtime(moment)
    if local.tm_year != time.localtime().tm_year:
        return time.strftime("%d %b %Y", local)
    return time.strftime("%d %b %H:%M", local)
