"""Judging images on the screen: with a real network in a process of its own, and without one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from PIL import Image

from engine.experiment import Experiment
from engine.journal import layout
from engine.journal.predictions import Doing, Guess, Judge, Judgement, Refused, Told
from tests.journal.writing import write_experiment as write_journals
from tests.tui.driving import SIZES, Driver, drive
from tests.tui.on_disk import write_experiment
from tui.screens import judge_work
from tui.screens.judge import JudgeScreen
from tui.start import Start
from tui.widgets.picture_list import PictureList

WIDE, NARROW = SIZES


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """Red and blue squares, two of each to validate; one of them is damaged."""
    folder = tmp_path / "squares"
    for part in ("train", "val"):
        for name, colour in (("blue", (0, 0, 255)), ("[red]x[", (255, 0, 0))):
            (folder / part / name).mkdir(parents=True)
            for number in range(2):
                Image.new("RGB", (40, 20), colour).save(folder / part / name / f"{number}.png")
    broken = folder / "val" / "blue" / "1.png"
    broken.write_bytes(broken.read_bytes()[:50])
    return folder


def add_checkpoint(made: Experiment, run: str = "01-single") -> Path:
    """Real weights: everything is red to them, three to one."""
    import torch
    import torchvision

    network = torchvision.models.resnet18(num_classes=2)
    state = {name: torch.zeros_like(value) for name, value in network.state_dict().items()}
    state["fc.bias"] = torch.tensor([3.0, 1.0]).log()
    path = made.directory / run / layout.CHECKPOINTS / layout.BEST
    path.parent.mkdir(parents=True)
    config = {"settings": {"model": "resnet18", "image_size": 32}}
    more = {"classes": ["[red]x[", "blue"], "epoch": 3, "best_acc": 0.5, "config": config}
    torch.save({"state_dict": state, **more}, path)
    return path


def children() -> list[psutil.Process]:
    return [
        each
        for each in psutil.Process().children()
        if "predict" in " ".join(each.cmdline() if each.status() != "zombie" else ())
    ]


async def test_a_real_network_judges_what_the_cursor_stands_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, dataset: Path
) -> None:
    made = write_experiment(tmp_path / "e", dataset, "done")
    add_checkpoint(made)
    async with drive(monkeypatch, WIDE, Start(experiments_directory=tmp_path / "e")) as driver:
        await driver.until_seen("squares")
        await driver.press("j")
        await driver.until_seen("best.pt of 01-single")
        await driver.until_seen("importing torch")
        await driver.until_seen("▀▀▀▀")
        (child,) = children()
        await driver.until(lambda: "true class" in driver.frame, 60)
        for words in (
            "resnet18 · epoch 3 · 50.0 % in validation",
            "0.png ──",
            "40 x 20 px",
            "true class: [red]x[  right",
            "✓ [red]x[ ",
            "  75.0 %",
            "  25.0 %",
        ):
            assert words in driver.frame
        assert child.nice() >= 10
        # The next class: a sound image first, then one that is damaged.
        await driver.press("right")
        await driver.until_seen("true class: blue  guess 2 of 2")
        await driver.press("down")
        await driver.until_seen("cannot be judged")
        await driver.press("j")
        await driver.until_seen("experiments")
        assert not child.is_running() or child.status() == "zombie"
        assert children() == []


class Answering:
    """A network that is ready at once and takes everything for blue."""

    made: list[Answering]

    def __init__(self, checkpoint: Path, **_: object) -> None:
        self.checkpoint = checkpoint
        self.asked: list[str] = []
        self.closed = False
        judge = Judge(
            model="resnet50", classes=2, names=("[red]x[", "blue"), image_size=32, averaged=True,
            device="CPU",
        )  # fmt: skip
        self._told: list[Told] = [Doing("importing torch"), judge]
        type(self).made.append(self)

    def start(self) -> None:
        return

    def ask(self, paths: list[str]) -> None:
        self.asked += paths
        self._told.append(Judgement((Guess(1, "blue", 1.0), Guess(0, "[red]x[", 0.0))))

    def poll(self) -> list[Told]:
        told, self._told = self._told, []
        return told

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Answering]]:
    """Processes that would have been started; they answer without torch."""
    Answering.made = []
    monkeypatch.setattr(judge_work, "Judging", Answering)
    yield Answering.made


def stand_in(made: Experiment, run: str = "01-single") -> Path:
    """A file where a checkpoint is looked for."""
    path = made.directory / run / layout.CHECKPOINTS / layout.LAST
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def listed(driver: Driver) -> PictureList:
    return driver.app.screen.query_one(PictureList)


@pytest.mark.parametrize("size", SIZES, ids=["160x48", "80x24"])
async def test_images_are_filtered_and_paths_are_typed(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    dataset: Path,
    answering: list[Answering],
    size: tuple[int, int],
) -> None:
    stand_in(write_experiment(tmp_path / "e", dataset, "done"))
    async with drive(monkeypatch, size, Start(experiments_directory=tmp_path / "e")) as driver:
        await driver.until_seen("squares")
        await driver.press("j")
        await driver.until_seen("true class: [red]x[  guess 2 of 2")
        assert "averaged weights" in driver.frame
        assert "[red]x[  2" in driver.frame
        assert all(len(row) <= size[0] for row in driver.frame.splitlines())
        await driver.press("slash")
        await driver.type("blue")
        await driver.press("enter")
        await driver.until(lambda: listed(driver).shown == 2)
        await driver.until_seen("true class: blue  right")
        # Back drops the filter before it closes the screen.
        await driver.press("backspace")
        await driver.until(lambda: listed(driver).shown == 4)
        await driver.press("slash")
        await driver.type(str(dataset / "train" / "blue"))
        await driver.press("enter")
        await driver.until(lambda: listed(driver).shown == 6)
        await driver.until_seen("true class: blue  right")
        assert listed(driver).image is not None
        assert listed(driver).image.path == str(dataset / "train" / "blue" / "0.png")  # type: ignore[union-attr]
        await driver.press("slash")
        await driver.type("/nothing")
        await driver.press("enter")
        await driver.until_seen("does not exist")
        await driver.press("q")
        await driver.until(lambda: not isinstance(driver.app.screen, JudgeScreen))
        (child,) = answering
        assert child.closed
        # Each image once, however often the cursor came by.
        assert len(child.asked) == len(set(child.asked))


async def test_without_colours_it_is_drawn_in_characters(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, dataset: Path, answering: list[Answering]
) -> None:
    stand_in(write_experiment(tmp_path / "e", dataset, "done"))
    monkeypatch.setenv("NO_COLOR", "1")
    async with drive(monkeypatch, NARROW, Start(experiments_directory=tmp_path / "e")) as driver:
        await driver.until_seen("squares")
        await driver.press("j")
        # Red is 0.299 of white: 76 of 256, the third of ten steps.
        await driver.until_seen("::::::::")
        assert "▀" not in driver.frame
        assert answering


async def test_why_nothing_can_be_judged_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, dataset: Path, answering: list[Answering]
) -> None:
    made = write_experiment(tmp_path / "e", dataset, "done")
    async with drive(monkeypatch, NARROW, Start(experiments_directory=tmp_path / "e")) as driver:
        await driver.until_seen("squares")
        await driver.press("j")
        await driver.until_seen("checkpoint yet; one is saved")
        await driver.press("j")
        # A network that refuses, and a folder that is gone.
        stand_in(made)
        refusing = [Refused("last.pt is damaged: it is cut short or was changed")]
        monkeypatch.setattr(Answering, "poll", lambda self: [refusing.pop()] if refusing else [])
        dataset.rename(tmp_path / "elsewhere")
        await driver.press("j")
        await driver.until_seen("last.pt is damaged: it is cut short")
        await driver.until_seen("/ takes the path")
        assert len(answering) == 1


async def test_live_and_compare_judge_with_the_run_they_show(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, dataset: Path, answering: list[Answering]
) -> None:
    made = write_journals(tmp_path, dataset, strategies=("single", "amp"))
    paths = [stand_in(made, run.run) for run in made.plan.runs]
    start = Start(experiments_directory=tmp_path, experiment=made.directory)
    async with drive(monkeypatch, WIDE, start) as driver:
        await driver.until_seen("Loss")
        await driver.press("2", "j")
        await driver.until_seen("last.pt of 02-amp")
        await driver.press("c")
        await driver.until_seen("images/s")
        await driver.press("down", "up", "j")
        await driver.until_seen("last.pt of 01-single")
        assert [each.checkpoint for each in answering] == [paths[1], paths[0]]
        assert answering[0].closed
