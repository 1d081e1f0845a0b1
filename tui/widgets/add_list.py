"""The strategies that could be added: a line each, and why some cannot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content

from tui import messages
from tui.widgets.lines import Lines

if TYPE_CHECKING:
    from tui.adding import Addable


class AddList(Lines):
    """Enter chooses; those that cannot be added stand last, and say why."""

    BINDING_GROUP_TITLE = "strategies"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "choose", "queue it")]

    def __init__(self) -> None:
        super().__init__()
        self._found: tuple[Addable, ...] = ()

    @property
    def strategy(self) -> Addable | None:
        """The one under the cursor."""
        return self._found[self.cursor] if self.cursor < len(self._found) else None

    def show_found(self, found: Sequence[Addable]) -> None:
        # At the first the user may not have looked yet.
        before = self.strategy.name if self.strategy is not None and self.cursor else ""
        self._found = tuple(found)
        self.set_count(len(self._found))
        names = [each.name for each in self._found]
        self.cursor = names.index(before) if before in names else 0

    def watch_cursor(self, old: int, new: int) -> None:
        super().watch_cursor(old, new)
        self.post_message(messages.StrategyPointed())

    def action_choose(self) -> None:
        if self.strategy is not None:
            self.post_message(messages.StrategyWanted(self.strategy))

    def line(self, number: int, width: int) -> Content:
        each = self._found[number]
        name = max(len(one.name) for one in self._found)
        here = number == self.cursor and self.has_focus
        about = each.explanation if each.possible else each.reason
        return Content.assemble(
            ("▌ " if here else "  ", "$primary"),
            (each.name.ljust(name) + "  ", "bold" if each.possible else "$quiet"),
            ("" if each.possible else "cannot: ", "$warning"),
            (about, "$quiet" if each.possible else "$warning"),
        )
