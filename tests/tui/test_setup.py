"""Setup, driven with keys and read as text."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from engine.journal import layout
from engine.journal.lock import Lock
from engine.plan.machine import Machine
from tests.tui.driving import HERE, SIZES, drive
from tests.tui.on_disk import write_experiment, write_images
from tui import output, readiness, recent
from tui.messages import StartRefused
from tui.start import Start
from tui.widgets.folder_tree import FolderTree
from tui.widgets.setting_lines import SettingLines
from tui.widgets.settings_form import SettingsForm

both_sizes = pytest.mark.parametrize("size", SIZES, ids=["160x48", "80x24"])
WIDE, NARROW = SIZES


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    """Two classes of five and seven images."""
    return write_images(tmp_path / "data" / "pets", {"cat": 5, "dog": 7})


@both_sizes
async def test_enter_alone_starts_the_given_dataset(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sample_data: Path, size: tuple[int, int]
) -> None:
    start = Start(experiments_directory=tmp_path, dataset=sample_data, given={"epochs": 2})
    async with drive(monkeypatch, size, start) as driver:
        await driver.until_seen("10 classes · 1,442 + 355 images")
        await driver.until_seen("no GPU · 2 cores · torch 2.15.0")
        await driver.until_seen("resnet-tui.toml of the dataset")
        assert "Enter starts single · resnet18 · 2 epochs" in driver.frame
        await driver.press("enter")
        await driver.until(lambda: driver.started)
    (started,) = driver.started
    assert started.dataset == sample_data
    assert started.strategies == ("single",)
    assert (started.settings.image_size, started.settings.epochs) == (32, 2)
    assert started.sources["image_size"] == "resnet-tui.toml of the dataset"
    assert started.sources["epochs"] == "flag"
    assert started.sources["momentum"] == "default"


@both_sizes
async def test_a_dataset_is_picked_from_the_tree_with_keys(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, pets: Path, size: tuple[int, int]
) -> None:
    monkeypatch.chdir(tmp_path)
    async with drive(monkeypatch, size, Start(experiments_directory=tmp_path / "e")) as driver:
        await driver.until_seen("no dataset chosen")
        await driver.until_seen("▸ data")
        await driver.press("down", "right")
        await driver.until_seen("▸ pets")
        await driver.press("right", "enter")
        await driver.until_seen("2 classes")
        assert "● pets" in driver.frame
        assert "one level of class folders" in driver.frame
        assert "20% of each class held out" in " ".join(driver.frame.split())
        await driver.press("enter", "2", "enter")
        await driver.until(lambda: driver.started)
        await driver.until(lambda: recent.recent() == [pets])
    assert driver.started[0].dataset == pets
    assert driver.started[0].strategies == ("single", "amp")


async def test_tab_walks_through_all_panes_on_both_pages(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, pets: Path
) -> None:
    start = Start(experiments_directory=tmp_path / "e", dataset=pets)
    async with drive(monkeypatch, NARROW, start) as driver:
        visited = []
        for _ in range(5):
            assert driver.app.focused is not None
            visited.append(type(driver.app.focused).__name__)
            await driver.press("tab")
        assert visited == [
            "StrategyList",
            "SettingLines",
            "FolderTree",
            "DatasetReport",
            "StrategyList",
        ]
        await driver.press("shift+tab")
        assert "Settings" in driver.frame
        await driver.press("backspace")
        assert "filter, or type a path" in driver.frame
        assert "Settings" not in driver.frame


async def test_a_folder_that_cannot_be_trained_on_says_why_and_does_not_start(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = write_images(tmp_path / "lonely", {"cat": 3})
    start = Start(experiments_directory=tmp_path / "e", dataset=folder)
    async with drive(monkeypatch, WIDE, start) as driver:
        await driver.until_seen("cannot be trained on")
        assert "What can be trained on:" in driver.frame
        await driver.press("enter")
        await driver.pilot.pause(0.1)
        assert isinstance(driver.app.focused, FolderTree)
    assert not driver.started


async def test_nothing_starts_without_a_strategy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, pets: Path
) -> None:
    start = Start(experiments_directory=tmp_path / "e", dataset=pets)
    async with drive(monkeypatch, NARROW, start) as driver:
        await driver.press("space", "enter")
        await driver.until_seen("Tick a strategy first")
        await driver.press("2", "enter")
        await driver.until(lambda: driver.started)
    assert driver.started[0].strategies == ("amp",)


@both_sizes
async def test_a_wrong_value_is_told_beside_its_field_and_must_be_put_right(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, pets: Path, size: tuple[int, int]
) -> None:
    start = Start(experiments_directory=tmp_path / "e", dataset=pets)
    async with drive(monkeypatch, size, start) as driver:
        await driver.press("tab")
        driver.app.screen.query_one(SettingsForm).go_to("batch_size")
        await driver.press("0", "enter")
        await driver.until_seen("batch size (--batch-size) is 0; it must be at least 1")
        await driver.press("shift+tab", "enter")
        await driver.until(lambda: isinstance(driver.app.focused, SettingLines))
        assert not driver.started
        field = driver.app.screen.query_one(SettingLines).field
        assert field is not None and field.name == "batch_size"
        await driver.press("8", "enter", "shift+tab")
        await driver.until(lambda: "must be at least" not in driver.frame)
        await driver.press("enter")
        await driver.until(lambda: driver.started)
    assert driver.started[0].settings.batch_size == 8
    assert driver.started[0].sources["batch_size"] == "you"


async def test_values_stand_below_each_other_beside_the_longest_label(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, pets: Path
) -> None:
    start = Start(experiments_directory=tmp_path / "e", dataset=pets)
    async with drive(monkeypatch, WIDE, start) as driver:
        await driver.press("tab", "m")
        await driver.until_seen("gradient checkpointing")
        rows = driver.frame.splitlines()
        columns = {
            label: next(row.index(value) for row in rows if f" {label} " in row)
            for label, value in (
                ("momentum", " 0.9 "),
                ("gradient checkpointing", " no "),
                ("micro-batches", " auto "),
            )
        }
        assert len(set(columns.values())) == 1, columns


async def test_a_field_keeps_printable_keys_and_choices_turn(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, pets: Path
) -> None:
    start = Start(experiments_directory=tmp_path / "e", dataset=pets)
    async with drive(monkeypatch, WIDE, start) as driver:
        await driver.press("tab", "down", "right")
        await driver.until_seen("‹resnet101›")
        await driver.press("left", "left")
        await driver.until_seen("‹resnet34›")
        await driver.press("down", "enter", *["backspace"] * 4)
        await driver.type("qshv")
        assert driver.app.is_running and "qshv" in driver.frame
        await driver.press("enter")
        await driver.until_seen("there is no file")
        await driver.press("up", "delete")
        await driver.until(lambda: "there is no file" not in driver.frame)
        await driver.press("m")
        assert "▾ switches" in driver.frame
        assert "gradient checkpointing no" in driver.frame
        await driver.press("m")
        assert "▸ switches" in driver.frame
        assert "gradient checkpointing no" not in driver.frame


async def test_another_dataset_brings_its_defaults_and_keeps_what_was_typed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, pets: Path
) -> None:
    (pets / "resnet-tui.toml").write_text("[training]\nepochs = 7\nimage_size = 48\n")
    other = write_images(pets.parent / "other", {"a": 3, "b": 3})
    (other / "resnet-tui.toml").write_text("[training]\nepochs = 9\nbatch_size = 4\n")
    start = Start(experiments_directory=tmp_path / "e", dataset=pets)
    async with drive(monkeypatch, WIDE, start) as driver:
        await driver.until_seen("48")
        await driver.press("tab")
        driver.app.screen.query_one(SettingsForm).go_to("epochs")
        await driver.press("3", "enter")
        await driver.until_seen("3 epochs")
        await driver.press("tab")
        await driver.until_seen("▸ other")
        await driver.press("up", "enter")
        await driver.until(lambda: "● other" in driver.frame)
        await driver.press("enter", "enter")
        await driver.until(lambda: driver.started)
    settings = driver.started[0].settings
    assert (settings.epochs, settings.batch_size, settings.image_size) == (3, 4, 224)
    assert driver.started[0].sources["epochs"] == "you"


async def test_a_dataset_with_wrong_defaults_names_its_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, pets: Path
) -> None:
    (pets / "resnet-tui.toml").write_text("[training]\nepoch = 7\n")
    start = Start(experiments_directory=tmp_path / "e", dataset=pets)
    async with drive(monkeypatch, WIDE, start) as driver:
        await driver.until_seen("2 classes")
        await driver.press("enter")
        await driver.until_read("did you mean epochs?")
    assert not driver.started


async def test_a_start_waits_for_the_machine_and_can_be_taken_back(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, pets: Path
) -> None:
    answered = threading.Event()

    def slow() -> Machine:
        answered.wait(30)
        return HERE

    # A strategy that needs several devices, say.
    monkeypatch.setattr(readiness, "runs_anywhere", lambda *_: False)
    start = Start(experiments_directory=tmp_path / "e", dataset=pets)
    async with drive(monkeypatch, NARROW, start, slow) as driver:
        await driver.until_seen("2 classes")
        await driver.press("enter")
        await driver.until_seen("looking at this machine … it starts by itself")
        await driver.press("backspace")
        assert "starts by itself" not in driver.frame
        await driver.press("enter")
        await driver.until_seen("starts by itself")
        assert not driver.started
        answered.set()
        await driver.until(lambda: driver.started)
    assert len(driver.started) == 1


async def test_what_needs_nothing_special_starts_before_the_machine_is_known(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, pets: Path
) -> None:
    answered = threading.Event()

    def slow() -> Machine:
        answered.wait(30)
        return HERE

    start = Start(experiments_directory=tmp_path / "e", dataset=pets)
    async with drive(monkeypatch, NARROW, start, slow) as driver:
        await driver.until_seen("2 classes")
        await driver.press("enter")
        await driver.until(lambda: driver.started)
        answered.set()


async def test_a_refused_start_is_told_until_something_is_done_about_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, pets: Path
) -> None:
    start = Start(experiments_directory=tmp_path / "e", dataset=pets)
    async with drive(monkeypatch, NARROW, start) as driver:
        await driver.until_seen("2 classes")
        await driver.press("enter")
        await driver.until(lambda: driver.started)
        driver.app.post_message(StartRefused("cannot create /mnt/e: it is read-only"))
        await driver.until_seen("cannot create /mnt/e")
        await driver.press("h", "s", "shift+tab")
        await driver.until_seen("cannot create /mnt/e")
        await driver.press("tab", "space")
        assert "cannot create /mnt/e" not in driver.frame


async def test_nothing_is_painted_while_the_terminal_does_not_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, pets: Path
) -> None:
    monkeypatch.setattr(output, "backlog", lambda _: 2)
    start = Start(experiments_directory=tmp_path / "e", dataset=pets)
    async with drive(monkeypatch, WIDE, start) as driver:
        await driver.pilot.pause(1.0)
        assert "2 classes" not in driver.frame
        monkeypatch.setattr(output, "backlog", lambda _: 1)
        await driver.until_seen("2 classes")


async def test_what_cannot_run_here_says_so_once_and_is_not_started(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, pets: Path
) -> None:
    broken = Machine(problem="torch is not installed; install it with pip install torch")
    start = Start(experiments_directory=tmp_path / "e", dataset=pets)
    async with drive(monkeypatch, WIDE, start, lambda: broken) as driver:
        await driver.until_seen("nothing can be trained on this machine")
        assert driver.frame.count("torch is not installed") == 1
        await driver.press("2")
        await driver.until_seen("amp cannot run here")
        await driver.until_seen("2 classes")
        await driver.press("enter")
        await driver.until_seen("single cannot run here: torch is not installed")
    assert not driver.started


async def test_another_training_on_this_machine_is_named_first(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, pets: Path
) -> None:
    other = write_experiment(tmp_path / "e", Path("/data/birds"), "running")
    lock = Lock(other.directory / layout.LOCK)
    start = Start(experiments_directory=tmp_path / "e", dataset=pets)
    async with drive(monkeypatch, NARROW, start) as driver:
        await driver.until_seen("2 classes")
        await driver.press("enter")
        await driver.until_seen("This machine is busy")
        assert other.name in driver.frame
        await driver.press("enter")
        await driver.until(lambda: "This machine is busy" not in driver.frame)
        assert not driver.started
        await driver.press("enter")
        await driver.until_seen("This machine is busy")
        await driver.press("y")
        await driver.until(lambda: driver.started)
    lock.release()
