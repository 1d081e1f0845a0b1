"""The command as a process, and one finished experiment that many tests look at."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.run.making import make_dataset, processes

COMMAND = str(Path(sys.executable).with_name("resnet-tui"))
TINY = (
    *("--model", "resnet18", "--image-size", "32", "--batch-size", "8"),
    *("--workers", "0", "--device", "cpu"),
)

Run = Callable[..., subprocess.CompletedProcess[str]]


def call(*arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Runs ``resnet-tui`` without a terminal and in the environment of the test."""
    return subprocess.run(
        [COMMAND, *map(str, arguments)],
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="session")
def squares(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_dataset(tmp_path_factory.mktemp("data") / "squares")


@pytest.fixture
def parent(private_home: Path) -> Iterator[Path]:
    """Where a test's experiments go; what still runs there afterwards is killed."""
    directory = Path(os.environ["RESNET_TUI_EXPERIMENTS"])
    yield directory
    for process in processes(directory):
        process.kill()


@dataclass(frozen=True)
class Finished:
    """What ``resnet-tui train`` left behind."""

    parent: Path
    answer: subprocess.CompletedProcess[str]
    csv: Path

    @property
    def directory(self) -> Path:
        (plan,) = self.parent.glob("*/experiment.json")
        return plan.parent


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory, squares: Path) -> Finished:
    """Two strategies, two epochs of four steps each."""
    place = tmp_path_factory.mktemp("finished")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(place / "state"))
        answer = call(
            *("train", squares, "--strategy", "single,amp", "--epochs", "2", *TINY),
            *("--experiments-dir", place / "experiments", "--csv", place / "table.csv"),
        )
    return Finished(place / "experiments", answer, place / "table.csv")
