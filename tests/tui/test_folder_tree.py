"""The tree of folders: what is shown is harmless, what is chosen is the real path."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from textual.app import App, ComposeResult

from tests.tui.driving import SIZES, drive
from tests.tui.frames import frame
from tui import setup_messages
from tui.app import ResnetTuiApp
from tui.folders import Listing, list_folders
from tui.start import Start
from tui.theme import DARK
from tui.widgets.folder_tree import SHOWN, FolderTree
from tui.widgets.path_field import PathField

HOSTILE = (
    b"[red]x[",
    b"[",
    b"\x1b]0;stolen\x07",
    b"two\nlines",
    "\u202etxt.gpj".encode(),
    b"not \xff utf-8",
    b"x" * 200,
    "空 的 文件夹".encode(),
)


class TreeApp(App[None]):
    """The tree alone, listing real folders at once."""

    def __init__(self, root: Path) -> None:
        super().__init__()
        self.register_theme(DARK)
        self.theme = DARK.name
        self.folders = FolderTree(root)
        self.chosen: list[Path] = []

    def compose(self) -> ComposeResult:
        yield self.folders

    def on_folder_wanted(self, message: setup_messages.FolderWanted) -> None:
        self.folders.show_listing(list_folders(message.folder))

    def on_folder_chosen(self, message: setup_messages.FolderChosen) -> None:
        self.chosen.append(message.folder)


async def test_hostile_names_show_harmless_and_are_chosen_by_their_real_path(
    tmp_path: Path,
) -> None:
    for name in HOSTILE:
        os.mkdir(os.path.join(os.fsencode(tmp_path), name))  # noqa: PTH102, PTH118 (bytes)
    folder = tmp_path / "[red]x[" / "nope]"
    folder.mkdir()
    app = TreeApp(tmp_path)
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.pause()
        for _ in HOSTILE:
            await pilot.press("down", "enter")
        await pilot.pause()
        shown = "\n".join(frame(app))
        app.folders.go_to(folder)
        await pilot.press("enter")
        await pilot.pause()
    assert {os.fsencode(path.name) for path in app.chosen[:-1]} == set(HOSTILE)
    assert app.chosen[-1] == folder
    assert "[red]x[" in shown and "two\ufffdlines" in shown and "not \ufffd utf-8" in shown
    assert "空 的 文件夹" in shown
    assert not any(ord(character) < 32 and character != "\n" for character in shown)
    assert "\u202e" not in shown
    assert all(len(row) <= 60 for row in shown.split("\n"))


async def test_a_folder_of_100_000_makes_no_100_000_lines(tmp_path: Path) -> None:
    names = tuple(f"n{number:06d}" for number in range(100_000))
    app = TreeApp(tmp_path)
    async with app.run_test(size=(40, 20)) as pilot:
        await pilot.pause()
        app.folders.show_listing(Listing(tmp_path, names))
        await pilot.press("down", "end")
        assert app.folders.count == SHOWN + 2  # the folder itself and the remark
        assert "99,000 more: / finds them" in "\n".join(frame(app))
        app.folders.filter("99999")
        await pilot.press("enter")
        await pilot.pause()
    assert app.chosen == [tmp_path / "n099999"]


async def test_left_and_right_walk_up_and_down(tmp_path: Path) -> None:
    (tmp_path / "a" / "inner").mkdir(parents=True)
    (tmp_path / "b").mkdir()
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "a file").write_text("")
    app = TreeApp(tmp_path / "a")
    async with app.run_test(size=(60, 12)) as pilot:
        await pilot.pause()
        assert [row.split() for row in frame(app)][1][1:] == ["inner"]
        await pilot.press("left")
        await pilot.pause()
        shown = "\n".join(frame(app))
        assert "b" in shown and "hidden" not in shown and "a file" not in shown
        assert app.folders.row is not None and app.folders.row.path == tmp_path / "a"
        await pilot.press("right", "right", "left", "left", "left")
        assert app.folders.row is not None and app.folders.row.path == tmp_path / "a"
        assert "inner" not in "\n".join(frame(app))
        await pilot.press("home", "enter")
        await pilot.pause()
    assert app.chosen == [tmp_path]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may list every folder")
async def test_a_folder_that_may_not_be_listed_says_so(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir()
    closed.chmod(0)
    assert "Permission denied" in list_folders(closed).problem


def test_listing_names_a_folder_that_is_not_there(tmp_path: Path) -> None:
    gone = list_folders(tmp_path / "gone")
    assert (gone.names, "No such file" in gone.problem) == ((), True)


def test_listing_follows_links_to_folders_and_skips_broken_ones(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "Alias").symlink_to(tmp_path / "real")
    (tmp_path / "broken").symlink_to(tmp_path / "gone")
    assert list_folders(tmp_path).names == ("Alias", "real")


async def test_recent_folders_stand_first_and_are_chosen(tmp_path: Path) -> None:
    elsewhere = Path("/far/away/[b]data")
    app = TreeApp(tmp_path)
    async with app.run_test(size=(60, 12)) as pilot:
        await pilot.pause()
        app.folders.show_recent([elsewhere])
        assert app.folders.row is not None and app.folders.row.path == tmp_path
        await pilot.press("up", "enter")
        await pilot.pause()
        assert "[b]data  /far/away" in "\n".join(frame(app))
    assert app.chosen == [elsewhere]


@pytest.mark.parametrize("size", SIZES, ids=["160x48", "80x24"])
async def test_a_path_is_typed_completed_and_chosen(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, size: tuple[int, int]
) -> None:
    wanted = tmp_path / "deep" / "pictures_of_pets"
    (wanted / "cat").mkdir(parents=True)
    (tmp_path / "deep" / "private").mkdir()
    monkeypatch.chdir(tmp_path)
    async with drive(monkeypatch, size, Start(experiments_directory=tmp_path / "e")) as driver:
        await driver.until_seen("▸ deep")
        await driver.press("slash")
        await driver.type("deep/p")
        await driver.until_seen("▸ private")
        await driver.type("i")
        await driver.until(lambda: "▸ private" not in driver.frame)
        await driver.press("tab")
        await driver.until(lambda: field(driver.app).value == "deep/pictures_of_pets/")
        await driver.press("enter")
        await driver.until_seen("cannot be trained on")
        assert "pictures_of_pets" in driver.frame
        await driver.press("slash")
        await driver.type("nothing")
        await driver.press("enter")
        await driver.until_seen("No folder here has 'nothing' in its name.")
        await driver.press(*["backspace"] * 8)
        await driver.until(lambda: not field(driver.app).has_focus)


async def test_letters_in_the_path_field_do_nothing_else(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "qhsv").mkdir()
    monkeypatch.chdir(tmp_path)
    start = Start(experiments_directory=tmp_path / "e")
    async with drive(monkeypatch, SIZES[1], start) as driver:
        await driver.until_seen("▸ qhsv")
        await driver.press("slash")
        await driver.type("qhsv1")
        assert driver.app.is_running and field(driver.app).value == "qhsv1"
        await driver.press("escape")
        await driver.until(lambda: not field(driver.app).has_focus)
        assert "▸ qhsv" in driver.frame


def field(app: ResnetTuiApp) -> PathField:
    return app.screen.query_one(PathField)
