"""The strategies to tick: a number, a name, one line each, and why one cannot run here.

With room, what keeps a strategy from running well stands under it, else in its line.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from textual.binding import Binding, BindingType
from textual.content import Content

from tui import setup_messages
from tui.widgets.lines import Lines

_INDENT = 7
"""Cells before a name: the cursor's mark, the key and the box."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A strategy to tick. ``reason`` is a sentence where it is no plain yes."""

    name: str
    explanation: str
    status: Literal["available", "functional only", "unavailable"] = "available"
    reason: str = ""
    batch: str = ""
    """How the global batch is shared out; empty where one device computes all of it."""

    @property
    def told(self) -> str:
        """``functional only: why``."""
        return f"{self.status}: {self.reason}" if self.reason else ""


@dataclass(frozen=True, slots=True)
class _Row:
    """A line of the list: a strategy, or the reason under it."""

    strategy: int
    reason: str = ""


class StrategyList(Lines):
    """Space and 1-9 tick, Enter starts what is ticked.

    Until the machine has answered nothing is known to be impossible, so everything can be ticked.
    """

    BINDING_GROUP_TITLE = "strategies"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "start", "start training"),
        Binding("space", "tick", "tick"),
    ]

    DEFAULT_CSS = """
    StrategyList {
        height: auto;
        max-height: 100%;
    }
    """

    def __init__(self, choices: Sequence[Choice], ticked: Sequence[str]) -> None:
        super().__init__()
        self.choices = tuple(choices)
        self._ticked = {name for name in ticked if any(each.name == name for each in choices)}
        self.compact = False
        """Whether every strategy has one line."""
        self._rows: list[_Row] = []
        self._width = 0
        self._name_width = max((len(each.name) for each in choices), default=0)
        self._make_rows()

    @property
    def visited(self) -> Choice | None:
        """The strategy under the cursor."""
        return self.choices[self._rows[self.cursor].strategy] if self._rows else None

    def set_compact(self, compact: bool) -> None:
        if compact != self.compact:
            self.compact = compact
            self._make_rows()

    def watch_cursor(self, old: int, new: int) -> None:
        super().watch_cursor(old, new)
        self.post_message(setup_messages.StrategyVisited())

    def on_focus(self) -> None:
        self.post_message(setup_messages.StrategyVisited())

    def on_resize(self) -> None:
        if self._width != self.scrollable_content_region.width:
            self._make_rows()
        super().on_resize()

    @property
    def ticked(self) -> tuple[str, ...]:
        """Names of the ticked strategies, in the order of the list."""
        return tuple(each.name for each in self.choices if each.name in self._ticked)

    @property
    def ticked_in_vain(self) -> tuple[str, ...]:
        """Ticked strategies that cannot run here as things are now."""
        impossible = {each.name for each in self.choices if each.status == "unavailable"}
        return tuple(name for name in self.ticked if name in impossible)

    def show_choices(self, choices: Sequence[Choice]) -> None:
        """The same strategies, judged anew. Ticks stay: a start tells what is wrong with them."""
        if tuple(choices) != self.choices:
            self.choices = tuple(choices)
            self._make_rows()

    def tick(self, number: int) -> None:
        """Ticks or unticks the strategy ``number``, from 0; one that cannot run here says why."""
        if not 0 <= number < len(self.choices):
            return
        choice = self.choices[number]
        self.cursor = next(n for n, row in enumerate(self._rows) if row.strategy == number)
        if choice.name in self._ticked:
            self._ticked.discard(choice.name)
        elif choice.status == "unavailable":
            self.post_message(setup_messages.TickRefused(choice.name, choice.reason))
            return
        else:
            self._ticked.add(choice.name)
        self.refresh()
        self.post_message(setup_messages.StrategiesTicked(self.ticked))

    def action_tick(self) -> None:
        if self._rows:
            self.tick(self._rows[self.cursor].strategy)

    def action_start(self) -> None:
        self.post_message(setup_messages.StartWanted())

    def can_stop_at(self, number: int) -> bool:
        return super().can_stop_at(number) and not self._rows[number].reason

    def line(self, number: int, width: int) -> Content:
        row = self._rows[number]
        choice = self.choices[row.strategy]
        possible = choice.status != "unavailable"
        remark = "$quiet" if possible else "$warning"
        if row.reason:
            return Content.assemble(" " * _INDENT, (row.reason, remark))
        ticked = choice.name in self._ticked
        well = choice.status == "available"
        key = str(row.strategy + 1) if row.strategy < 9 else " "
        about = (" · ".join(filter(None, (choice.batch, choice.explanation))), "$quiet")
        if self.compact and not well:
            about = (choice.told, remark)
        return Content.assemble(
            ("▌" if number == self.cursor and self.has_focus else " ", "$primary"),
            (f"{key} ", "$footer-key-foreground" if possible else "$faint"),
            ("[x] " if ticked else "[ ] ", "bold $primary" if ticked else "$quiet"),
            (
                choice.name.ljust(self._name_width) + "  ",
                "bold" if ticked and possible else "" if well else "$quiet",
            ),
            about,
        )

    def _make_rows(self) -> None:
        self._width = self.scrollable_content_region.width
        at = self._rows[self.cursor].strategy if self._rows else 0
        self._rows = []
        for number in range(len(self.choices)):
            self._rows.append(_Row(number))
            if not self.compact and (reason := self._reason(number)):
                # Not known before the first layout: then they are made anew with the width.
                lines = textwrap.wrap(reason, max(20, self._width - _INDENT))
                self._rows.extend(_Row(number, line) for line in lines)
        self.set_count(len(self._rows))
        self.cursor = next((n for n, row in enumerate(self._rows) if row.strategy == at), 0)

    def _reason(self, number: int) -> str:
        """What stands under a strategy."""
        told = self.choices[number].told
        # What keeps several from running is said once, under the last of them.
        after = self.choices[number + 1 : number + 2]
        return "" if any(each.told == told for each in after) else told
