"""A list over whatever is shown, to choose one thing of, or to tick several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.screen import ModalScreen

from tui.widgets.line import Line
from tui.widgets.lines import Lines


class Item(NamedTuple):
    """A line of the list: what it answers, its words, and a remark to the right."""

    id: str
    label: str
    remark: str = ""


class PickerLines(Lines):
    """The items; with ticks, a box before each."""

    class Visited(Message):
        """The cursor stands on another item."""

    def __init__(self, items: Sequence[Item], ticked: frozenset[str] | None) -> None:
        super().__init__()
        self.items = tuple(items)
        self.ticked = ticked
        self._labels = max((len(each.label) for each in self.items), default=0)

    def on_mount(self) -> None:
        self.set_count(len(self.items))

    def line(self, number: int, width: int) -> Content:
        item = self.items[number]
        box: tuple[str, str] = ("", "")
        if self.ticked is not None:
            on = item.id in self.ticked
            box = ("[x] " if on else "[ ] ", "bold $accent" if on else "$quiet")
        label = item.label.ljust(min(self._labels, max(8, width * 3 // 5 - 8)))
        here = number == self.cursor
        return Content.assemble(
            ("▌" if here else " ", "$primary"),
            box,
            (label, "bold $foreground" if here else "$foreground"),
            (f"  {item.remark}" if item.remark else "", "$quiet"),
        )

    def watch_cursor(self, old: int, new: int) -> None:
        super().watch_cursor(old, new)
        self.post_message(self.Visited())

    def all_fit(self, width: int) -> bool:
        """Whether no remark is cut in a room of ``width`` cells."""
        return all(self.line(n, width).cell_length <= width for n in range(len(self.items)))

    def turn(self) -> None:
        """Ticks the item under the cursor, or unticks it."""
        if self.ticked is not None and self.items:
            self.ticked = self.ticked ^ {self.items[self.cursor].id}
            self.refresh_line(self.cursor)


class Picker(ModalScreen["str | frozenset[str] | None"]):
    """Dismissed with the id of the chosen item; with ``ticked``, with the ids that are ticked.

    ``None`` where it is closed without a choice. ``reset`` are the ticks that ``d`` brings back.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "take", "take"),
        Binding("space", "turn", "tick"),
        Binding("d", "reset", "default"),
        Binding("backspace,escape,q,ctrl+c,ctrl+q", "close", "cancel"),
    ]

    DEFAULT_CSS = """
    Picker {
        align: center middle;
        background: $background 60%;
    }
    Picker > Vertical {
        width: 92;
        max-width: 94%;
        height: auto;
        max-height: 90%;
        padding: 0 1;
        background: $surface;
        border: round $primary;
        border-title-style: bold;
        border-title-color: $foreground;
        border-subtitle-color: $quiet;
    }
    Picker PickerLines {
        height: auto;
        max-height: 100%;
        background: $surface;
        scrollbar-background: $surface;
    }
    Picker #picker-about {
        dock: bottom;
        height: 2;
        padding: 0;
        text-wrap: wrap;
    }
    """

    def __init__(
        self,
        title: str,
        items: Sequence[Item],
        *,
        at: str = "",
        ticked: frozenset[str] | None = None,
        reset: frozenset[str] | None = None,
    ) -> None:
        super().__init__()
        self._heading = title
        self._reset = reset
        self._list = PickerLines(items, ticked)
        self._about = Line(id="picker-about")
        ids = [each.id for each in items]
        self._at = ids.index(at) if at in ids else 0

    def compose(self) -> ComposeResult:
        ticks = self._list.ticked is not None
        keys = ["Space ticks"] * ticks + ["Enter takes"]
        keys += ["d defaults"] * (self._reset is not None) + ["Backspace cancels"]
        with Vertical() as panel:
            panel.border_title = Content(self._heading)
            yield self._list
            yield self._about
            panel.border_subtitle = Content(" · ".join(keys))

    def on_mount(self) -> None:
        self._list.focus()
        self.call_after_refresh(self._go)

    def _go(self) -> None:
        self._list.cursor = self._at
        self._tell()

    def on_resize(self) -> None:
        self.call_after_refresh(self._tell)

    def on_picker_lines_visited(self) -> None:
        self._tell()

    def _tell(self) -> None:
        """What is said of the item under the cursor, in full, where the lines cut something."""
        self._about.display = not self._list.all_fit(self._list.scrollable_content_region.width)
        if self._about.display:
            remark = self._list.items[self._list.cursor].remark
            self._about.show(Content.styled(remark, "$quiet"), layout=True)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "turn":
            return self._list.ticked is not None
        if action == "reset":
            return self._reset is not None
        return True

    def action_turn(self) -> None:
        self._list.turn()

    def action_reset(self) -> None:
        self._list.ticked = self._reset
        self._list.refresh()

    def action_take(self) -> None:
        if self._list.ticked is not None:
            self.dismiss(self._list.ticked)
        elif self._list.items:
            self.dismiss(self._list.items[self._list.cursor].id)
        else:
            self.dismiss(None)

    def action_close(self) -> None:
        self.dismiss(None)
