"""A table behind a column that stays: what fits, scrolling by columns, and a cursor by key."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.content import Content

from tests.tui.frames import frame
from tui.theme import DARK
from tui.widgets.comparison_table import Cell, ComparisonTable, Head, Table, TableRow

HEADS = tuple(Head(f"col{n}", marked=n == 0) for n in range(6))


def line(key: str, *values: str) -> TableRow:
    texts = values or ("1", "22", "333", "4444", "5", "6")
    marks = ("best",) if key == "a" else ("",)
    cells = [Cell(text, mark) for text, mark in zip(texts, (*marks, *[""] * 5), strict=True)]
    return TableRow(key, Content(f"row {key}"), tuple(cells))


class TableApp(App[None]):
    """A table alone."""

    def __init__(self) -> None:
        super().__init__()
        self.register_theme(DARK)
        self.theme = DARK.name

    def compose(self) -> ComposeResult:
        yield ComparisonTable()

    def on_mount(self) -> None:
        self.query_one(ComparisonTable).focus()


def test_only_whole_columns_are_in_sight() -> None:
    table = Table(HEADS, (line("a"), line("b")))
    assert table.widths == (6, 4, 4, 4, 4, 4)
    # 5 for the names, then 6 and 4 with two cells before each.
    assert [table.fitting(0, width) for width in (5, 12, 13, 18, 19, 43, 100)] == [
        1, 1, 1, 1, 2, 6, 6,
    ]  # fmt: skip
    assert table.last_first(100) == 0
    assert table.last_first(19) == 4


def test_a_long_name_leaves_room_for_a_column() -> None:
    row = TableRow("a", Content("x" * 60), (Cell("123,456"),))
    table = Table((Head("images/s"),), (row,))
    assert table.names(60) == 50
    assert table.names(200) == 60


async def test_columns_scroll_and_marks_stand_behind_numbers() -> None:
    app = TableApp()
    async with app.run_test(size=(22, 4)) as pilot:
        grid = app.query_one(ComparisonTable)
        grid.show(Table(HEADS, (line("a"), line("b"))))
        await pilot.pause()
        assert grid.head().plain == "        col0    col1"
        assert frame(app)[0] == "▌row a     1 ▲    22"
        assert grid.in_sight == (1, 2)
        await pilot.press("right", "right")
        assert grid.head().plain == "        col2  col3"
        assert frame(app)[1] == " row b   333  4444"
        await pilot.press(*["right"] * 9)
        assert grid.in_sight == (5, 6)
        await pilot.press(*["left"] * 9)
        assert grid.in_sight == (1, 2)


async def test_the_cursor_stays_on_its_row_through_a_sort() -> None:
    app = TableApp()
    async with app.run_test(size=(40, 6)) as pilot:
        grid = app.query_one(ComparisonTable)
        rows = [line(key) for key in "abc"]
        grid.show(Table(HEADS, tuple(rows)))
        await pilot.pause()
        assert grid.key == "a"
        await pilot.press("down")
        assert grid.key == "b"
        between = TableRow("", Content("measured on cuda"))
        grid.show(Table(HEADS, (rows[2], between, rows[0], rows[1])))
        await pilot.pause()
        assert (grid.key, grid.cursor) == ("b", 3)
        await pilot.press("up", "up")
        assert grid.key == "c"
        grid.show(Table(HEADS, (rows[1], rows[0])))
        await pilot.pause()
        assert grid.key in ("a", "b")


async def test_one_cell_that_changes_is_painted() -> None:
    app = TableApp()
    async with app.run_test(size=(40, 6)) as pilot:
        grid = app.query_one(ComparisonTable)
        grid.show(Table(HEADS, (line("a"), line("b"))))
        await pilot.pause()
        grid.show(Table(HEADS, (line("a"), line("b", "7", "22", "333", "4444", "5", "6"))))
        await pilot.pause()
        assert frame(app)[1].split() == ["row", "b", "7", "22", "333", "4444", "5"]
