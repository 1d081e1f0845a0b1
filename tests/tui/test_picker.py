"""The list that is laid over whatever is shown."""

from __future__ import annotations

from textual.app import App

from tui.screens.picker import Item, Picker
from tui.theme import DARK
from tui.widgets.line import Line

ITEMS = (
    Item("a", "first", "short"),
    Item("b", "second", "a remark that is much longer than sixty cells, so that its end is cut"),
)


class Shown(App[None]):
    def __init__(self, items: tuple[Item, ...]) -> None:
        super().__init__()
        self.items = items
        self.register_theme(DARK)
        self.theme = DARK.name

    def on_mount(self) -> None:
        self.push_screen(Picker("Columns", self.items, ticked=frozenset()))


async def test_a_remark_that_is_cut_stands_in_full_below() -> None:
    async with Shown(ITEMS * 20).run_test(size=(60, 20)) as pilot:
        await pilot.pause()
        about = pilot.app.screen.query_one(Line)
        assert about.display
        assert about.render().plain == "short"
        await pilot.press("down")
        await pilot.pause()
        assert about.render().plain == ITEMS[1].remark
        assert about.size.height == 2
        # It takes its rows from the list, not from the edge below.
        await pilot.press("end")
        await pilot.pause()
        assert about.region.bottom < 20


async def test_where_all_fits_nothing_is_below() -> None:
    async with Shown(ITEMS[:1]).run_test(size=(60, 20)) as pilot:
        await pilot.pause()
        assert not pilot.app.screen.query_one(Line).display
