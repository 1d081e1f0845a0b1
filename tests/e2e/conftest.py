"""What the end-to-end tests share: the command, the digits, and an end to whatever was started."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from tests.e2e.processes import of_experiment
from tests.e2e.terminal import Terminal

COMMAND = str(Path(sys.executable).with_name("resnet-tui"))
DIGITS = Path(__file__).parents[2] / "sample_data"

Open = Callable[..., Terminal]


@pytest.fixture
def experiments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An experiments directory of this test alone; whatever still runs in it is killed after."""
    directory = tmp_path / "experiments"
    monkeypatch.setenv("RESNET_TUI_EXPERIMENTS", str(directory))
    yield directory
    for process in of_experiment(directory):
        process.kill()


@pytest.fixture
def open_terminal(experiments: Path) -> Iterator[Open]:
    """Opens ``resnet-tui`` with arguments in a terminal that is closed after the test."""
    opened: list[Terminal] = []

    def start(
        *arguments: str, columns: int = 160, rows: int = 48, cwd: Path | None = None
    ) -> Terminal:
        terminal = Terminal([COMMAND, *arguments], columns=columns, rows=rows, cwd=cwd)
        opened.append(terminal)
        return terminal

    yield start
    for terminal in opened:
        terminal.close()


def resnet_tui(
    arguments: Sequence[str], cwd: Path | None = None, seconds: float = 120
) -> subprocess.CompletedProcess[str]:
    """Runs a command without a terminal and returns its result."""
    return subprocess.run(
        [COMMAND, *arguments],
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


def only_experiment(experiments: Path) -> Path:
    """The one experiment in a directory."""
    found = [path.parent for path in experiments.glob("*/experiment.json")]
    assert len(found) == 1, found
    return found[0]
