"""Results by class on the screen: of Live and Compare, at both sizes, with names from outside."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from msgspec import structs
from rich.cells import cell_len

from engine.experiment import Experiment
from engine.journal import layout
from engine.journal.events import ClassesJudged
from engine.journal.files import Appender
from engine.journal.judged import judged_view
from engine.report.classes import ClassReport, class_report
from engine.report.matrix import grid
from tests.journal.judging import judged
from tests.journal.writing import Shape, write_experiment
from tests.tui.driving import SIZES, Driver, drive
from tui.screens.results import ResultsScreen
from tui.screens.results_lines import ResultLines
from tui.screens.results_model import Choice, entries, missing
from tui.start import Start
from tui.widgets import class_table, confusion

WIDE, SMALL = SIZES
NAMES = ("ant", "[red]bee[/nope]\x1b[31m", "cat " + "猫" * 60)
MATRIX = [[8, 2, 0], [1, 3, 0], [0, 6, 0]]


def written(place: Path, event: ClassesJudged | None, names: tuple[str, ...] = NAMES) -> Experiment:
    shape = Shape(total_steps=20, steps_per_epoch=10, classes=names)
    made = write_experiment(place, Path("/data/zoo"), strategies=("single",), shape=shape)
    if event is not None:
        appender = Appender(layout.rank_journal(made.directory, "01-single", 1, 0))
        appender.append(event)
        appender.close()
    return made


def report(matrix: object, names: tuple[str, ...] = ()) -> ClassReport:
    view = judged_view(judged(matrix))  # type: ignore[arg-type]
    assert view is not None
    return class_report(view, names)


def started(made: Experiment) -> Start:
    return Start(experiments_directory=made.directory.parent, experiment=made.directory)


async def opened(driver: Driver, key: str = "r") -> None:
    await driver.until(lambda: driver.app.feed and driver.app.current_mode == "live")
    await driver.until_seen("100 %")
    if key == "c":
        await driver.press("c")
        await driver.until(lambda: getattr(driver.app.screen, "comparison", None) is not None)
        await driver.until_seen("images/s")
    await driver.press("r")
    await driver.until_seen("Results by class of single")


@pytest.mark.parametrize(("size", "key"), [(WIDE, "r"), (SMALL, "c")])
async def test_classes_are_listed_worst_first_with_their_matrix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int], key: str
) -> None:
    made = written(tmp_path, judged(MATRIX, epoch=1, step=20))
    async with drive(monkeypatch, size, started(made)) as driver:
        await opened(driver, key)
        await driver.until_seen("top-1 55.0 %")
        assert "best validation, after epoch 2 of" in driver.frame
        assert "20 images in 3 classes" in driver.frame
        assert "balanced accuracy 51.7 %" in driver.frame
        assert "\x1b" not in driver.frame
        lines = driver.frame.splitlines()
        places = [next(n for n, line in enumerate(lines) if name in line)
                  for name in ("cat 猫", "[red]bee[/nope]", " ant ")]  # fmt: skip
        assert places == sorted(places)
        assert "0.0 %" in lines[places[0]]
        assert all(cell_len(line) <= size[0] for line in lines)
        # The matrix stands below where there is room: six of the cats were taken for bees.
        assert "6█" in driver.frame
        await driver.press("o")
        await driver.until_seen("Sort by")
        await driver.press("enter")
        await driver.until(lambda: driver.frame.index(" ant ") < driver.frame.index("cat 猫"))
        await driver.press("slash", *"BEE")
        await driver.until(lambda: _list(driver).entries == [1])
        await driver.press("escape", "m")
        await driver.until_seen("a quarter of a class's images")
        assert len(_list(driver).entries) == 5
        await driver.press("backspace")
        await driver.until(lambda: not isinstance(driver.app.screen, ResultsScreen))


def _list(driver: Driver) -> ResultLines:
    return driver.app.screen.query_one(ResultLines)


async def test_before_the_first_validation_a_sentence_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = written(tmp_path, None)
    async with drive(monkeypatch, SMALL, started(made)) as driver:
        await opened(driver)
        await driver.until_seen("tell nothing of single classes")
        await driver.press("m", "o", "e", "slash")
        assert isinstance(driver.app.screen, ResultsScreen)
    assert "first validation" in missing(None)


async def test_the_last_validation_is_another_than_the_best(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    best = judged(MATRIX, epoch=0, step=10)
    made = written(tmp_path, best)
    appender = Appender(layout.rank_journal(made.directory, "01-single", 1, 0))
    appender.append(structs.replace(judged([[9, 1, 0], [4, 0, 0], [6, 0, 0]]), step=20, best=False))
    appender.close()
    async with drive(monkeypatch, SMALL, started(made)) as driver:
        await opened(driver)
        await driver.until_seen("top-1 55.0 %")
        await driver.press("w")
        await driver.until_seen("last validation")
        assert "top-1 45.0 %" in driver.frame


async def test_a_matrix_that_is_higher_than_the_screen_scrolls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    square = [[1 + (true == said) for said in range(16)] for true in range(16)]
    made = written(tmp_path, judged(square), tuple(f"c{place}" for place in range(16)))
    async with drive(monkeypatch, SMALL, started(made)) as driver:
        await opened(driver)
        await driver.press("m")
        await driver.until_seen(" c0 ")
        assert len(_list(driver).entries) == 18
        assert " 16  c15 " not in driver.frame
        await driver.press("down", "down", "down")
        await driver.until_seen(" 16  c15 ")


async def test_what_is_exported_is_written_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = written(tmp_path, judged(MATRIX))
    path = made.directory / "classes-01-single.csv"
    async with drive(monkeypatch, SMALL, started(made)) as driver:
        await opened(driver)
        await driver.until_seen("top-1 55.0 %")
        await driver.press("e", "enter")
        await driver.until(path.is_file)
        path.write_text("mine")
        await driver.press("e", "enter")
        await driver.until_seen("Write over the older table?")
        await driver.press("enter")
        assert path.read_text() == "mine"
        await driver.press("e", "m")
        await driver.until((made.directory / "confusion-01-single.csv").is_file)
    frame = pd.read_csv(made.directory / "confusion-01-single.csv")
    assert frame["count"].tolist() == [8, 2, 1, 3, 6]


def test_a_matrix_is_told_apart_without_colours() -> None:
    drawn = grid(report(MATRIX, ("ant", "bee", "cat")), 80)
    assert drawn is not None
    assert (drawn.head, drawn.numbered) == (" 1  2  3 ", True)
    assert ["".join(cell.text for cell in row) for row in drawn.rows] == [
        " 8█ 2░ · ",
        " 1░ 3▓ · ",
        " ·  6█ · ",
    ]
    named = grid(report(MATRIX, ("a", "b", "c")), 80)
    assert named is not None
    assert (named.head, named.numbered) == (" a  b  c ", False)
    assert grid(report(MATRIX), 8) is None
    assert confusion.matrix(report(MATRIX), 18) is None


@pytest.mark.parametrize("width", [60, 79, 120, 158])
@pytest.mark.parametrize("names", [NAMES, ("a", "b", "c")])
def test_lines_always_fit(width: int, names: tuple[str, ...]) -> None:
    told = report(MATRIX, names)
    columns = class_table.columns(told, width)
    assert class_table.head(columns).cell_length <= width
    for place in range(3):
        assert class_table.row(told, place, columns).cell_length <= width
        about = class_table.about(told, place, width).split("\n")
        assert all(line.cell_length <= width for line in about)
    assert all(line.cell_length <= width for line in confusion.matrix(told, width) or ())
    assert all(confusion.pair(told, each, width).cell_length <= width for each in told.confused)


@pytest.mark.parametrize("text", ["ant", "a" * 50, "猫" * 30, "", "a猫" * 9])
def test_a_name_takes_its_room_to_the_cell(text: str) -> None:
    for width in (1, 7, 8, 20, 33):
        assert cell_len(class_table.fitted(text, width)) == width
    assert class_table.fitted("n01440764_tench", 10) == "n01440…nch"


def test_classes_are_sorted_and_filtered_by_name() -> None:
    told = report([[1, 1, 0], [0, 2, 0], [0, 0, 0]], ("b", "A", "c"))
    # What has no images is worse than nothing: unknown.
    assert entries(told, Choice(needle=""), 60, 3) == [0, 1, 2]
    assert entries(told, Choice(reverse=True), 60, 3) == [1, 0, 2]
    assert entries(told, Choice(order="name"), 60, 3) == [1, 0, 2]
    assert entries(told, Choice(order="images"), 60, 3) == [2, 0, 1]
    assert entries(told, Choice(order="place", needle="a"), 60, 3) == [1]
    assert entries(told, Choice(confused=True, needle="A"), 60, 3) == list(told.confused)
    assert entries(told, Choice(confused=True, needle="c"), 60, 3) == []


def test_a_thousand_classes_are_listed_quickly() -> None:
    dense = np.random.default_rng(1).multinomial(50, np.full(1000, 1e-3), 1000)
    began = time.process_time()
    told = report(dense, tuple(f"n{place:08d}" for place in range(1000)))
    columns = class_table.columns(told, 158)
    listed = entries(told, Choice(), 158, 40)
    for place in listed[:40]:
        assert isinstance(place, int)
        class_table.row(told, place, columns)
    assert len(entries(told, Choice(confused=True), 158, 40)) > 10_000
    assert time.process_time() - began < 5.0
