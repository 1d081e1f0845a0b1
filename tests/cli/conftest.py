"""The command as a process, and one finished experiment that many tests look at."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
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


def call(
    *arguments: str | Path, cwd: Path | None = None, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Runs ``resnet-tui`` without a terminal and, unless told otherwise, in the environment of the
    test."""
    return subprocess.run(
        [COMMAND, *map(str, arguments)],
        cwd=cwd,
        env=environment,
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


@pytest.fixture(scope="session", autouse=True)
def finishing(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, squares: Path
) -> Iterator[Future[Finished] | None]:
    """Trains what ``finished`` is, where a test asks for it, while those before it wait for
    processes of their own."""
    items: list[pytest.Item] = request.session.items
    if not any("finished" in getattr(item, "fixturenames", ()) for item in items):
        yield None
        return
    place = tmp_path_factory.mktemp("finished")
    environment = {**os.environ, "XDG_STATE_HOME": str(place / "state")}
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(_train, place, squares, environment)


def _train(place: Path, dataset: Path, environment: dict[str, str]) -> Finished:
    """Two strategies, two epochs of four steps each."""
    answer = call(
        *("train", dataset, "--strategy", "single,amp", "--epochs", "2", *TINY),
        *("--experiments-dir", place / "experiments", "--csv", place / "table.csv"),
        environment=environment,
    )
    return Finished(place / "experiments", answer, place / "table.csv")


@pytest.fixture(scope="session")
def finished(finishing: Future[Finished]) -> Finished:
    return finishing.result()
