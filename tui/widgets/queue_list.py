"""The runs of an experiment as lines with columns, in the order in which they are done.

The cursor stays on its run wherever that moves.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content

from tui import messages
from tui.widgets.lines import Lines
from tui.widgets.summary import SIGNS

_NUMBER = 6
_STATE = 12
_WHEN = 17
"""The longest: ``took 59 min 59 s``, and a space before it."""
_LEAST = 8
"""Cells of a strategy's name that are always there."""
_REASON = 24
"""Cells of a reason that are worth having: all of it stands below the list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueRow:
    """One run; texts are cleaned. Empty ones are left out."""

    run: str
    number: int
    """Its place in the plan, from 1: the key that shows it."""
    strategy: str
    state: str
    repeat: str = ""
    """``2 of 3``."""
    batch: str = ""
    when: str = ""
    """``took 3 min 20 s``, ``ends about 18:32``, ``about 18:40``."""
    asked: str = ""
    """A request that is on its way: ``moving``, ``dropping``."""
    reason: str = ""
    waits: bool = False
    """Whether it can be moved and dropped."""


class QueueList(Lines):
    """``show_rows`` takes the runs; line 0 is the heading."""

    BINDING_GROUP_TITLE = "queue"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "look", tooltip="look at the run")
    ]

    def __init__(self) -> None:
        super().__init__()
        self._rows: tuple[QueueRow, ...] = ()
        self._strategy = self._repeat = self._batch = 0

    @property
    def row(self) -> QueueRow | None:
        """The run under the cursor."""
        at = self.cursor - 1
        return self._rows[at] if 0 <= at < len(self._rows) else None

    def show_rows(self, rows: Sequence[QueueRow]) -> None:
        if tuple(rows) == self._rows:
            return
        before, old = self.row, self._rows
        self._rows = tuple(rows)
        self._strategy = max((len(each.strategy) for each in rows), default=0)
        self._repeat = _column((each.repeat for each in rows), "repeat")
        self._batch = _column((each.batch for each in rows), "batch")
        self.set_count(len(self._rows) + 1 if self._rows else 0)
        if before is not None:
            self.go_to(before.run)
        elif not old:
            self._begin()

    def go_to(self, run: str) -> None:
        for number, row in enumerate(self._rows):
            if row.run == run:
                self.cursor = number + 1
                return

    def _begin(self) -> None:
        """At first the cursor stands on what trains, else on the next."""
        for number, row in enumerate(self._rows):
            if row.waits or row.state in ("running", "starting", "stopping"):
                self.cursor = number + 1
                # How far it can scroll is known after the next layout.
                self.call_after_refresh(self.scroll_to_line, self.cursor)
                return

    def action_open(self) -> None:
        if self.row is not None:
            self.post_message(messages.RunWanted(self.row.run))

    def watch_cursor(self, old: int, new: int) -> None:
        super().watch_cursor(old, new)
        self.post_message(messages.RunVisited())

    def can_stop_at(self, number: int) -> bool:
        return super().can_stop_at(number) and number > 0

    def line(self, number: int, width: int) -> Content:
        strategy, reason = self._widths(width)
        if number == 0:
            repeat = "repeat".rjust(self._repeat) + "  " if self._repeat else ""
            batch = "batch".rjust(self._batch) + "  " if self._batch else ""
            head = f"{'#':>{_NUMBER - 2}}  {'strategy':<{strategy}}{repeat}{batch}"
            return Content.styled(f"{head}{'state':<{_STATE}}{'when':>{_WHEN}}", "$quiet")
        row = self._rows[number - 1]
        sign, colour = SIGNS.get(row.state, ("·", "$quiet"))
        here = number == self.cursor and self.has_focus
        when = (row.asked, "bold $accent") if row.asked else (row.when, "$quiet")
        parts: list[Content | str | tuple[str, str]] = [
            ("▌" if here else " ", "$primary"),
            (f"{row.number:>{_NUMBER - 3}}  ", "$quiet"),
            _cut(row.strategy, strategy, "bold" if not row.waits else ""),
        ]
        if self._repeat:
            parts.append((row.repeat.rjust(self._repeat) + "  ", "$quiet"))
        if self._batch:
            parts.append((row.batch.rjust(self._batch) + "  ", ""))
        parts += [(f"{sign} {row.state}".ljust(_STATE), colour), (when[0].rjust(_WHEN), when[1])]
        if row.reason and reason >= _REASON:
            parts.append(("  " + row.reason, "$error" if row.state == "failed" else "$quiet"))
        return Content.assemble(*parts)

    def _widths(self, width: int) -> tuple[int, int]:
        """Cells of the strategy's name, the free one behind it included, and of the reason."""
        fixed = _NUMBER + _STATE + _WHEN
        fixed += sum(each + 2 for each in (self._repeat, self._batch) if each)
        room = width - fixed
        strategy = min(max(self._strategy, _LEAST) + 2, max(_LEAST, room))
        return strategy, room - strategy - 2


def _column(texts: Iterable[str], title: str) -> int:
    """Cells of a column; none where it would be empty."""
    widest = max(map(len, texts), default=0)
    return max(widest, len(title)) if widest else 0


def _cut(text: str, width: int, style: str) -> Content:
    """``text`` in ``width`` cells, the last of them free."""
    cut = Content.styled(text, style).truncate(width - 1, ellipsis=True, pad=True)
    return Content.assemble(cut, " ")
