"""The real thing: the dashboard in a real terminal, training the digits with real processes."""

from __future__ import annotations

import os
import re
import signal
import time
from pathlib import Path

import psutil
import pytest

from tests.e2e.conftest import DIGITS, Open, only_experiment, resnet_tui
from tests.e2e.processes import of_experiment, wait_until_gone
from tests.e2e.terminal import BACKSPACE, ENTER

RESTORED = b"\x1b[?1049l"
"""What leaves the alternate screen."""


def train_loss(screen: str) -> float | None:
    """The training loss in the line of numbers."""
    found = re.search(r"loss +([0-9.]+)", screen)
    return float(found[1]) if found else None


def test_from_enter_to_stop(open_terminal: Open, experiments: Path, tmp_path: Path) -> None:
    """Enter alone starts; the loss falls; quitting leaves it running; elsewhere it is stopped."""
    here = open_terminal(str(DIGITS), "--epochs", "50", "--workers", "1")
    shown = here.wait_for(lambda text: "1,442" in text and "Enter starts single" in text)
    assert "resnet-tui.toml of the dataset" in shown, "where a default came from"
    here.send(ENTER)
    # While nothing is trained yet, the phases say what happens.
    here.wait_for("importing torch")
    first = here.wait_for(lambda text: train_loss(text) is not None, 90)
    start = train_loss(first)
    assert start is not None
    assert 1.5 < start < 4, "ten classes begin at about ln 10"
    here.wait_for(lambda text: (train_loss(text) or 9) < start / 2, 120)
    directory = only_experiment(experiments)

    here.send("q")
    here.wait_for(lambda text: "eave it running" in text)
    here.send(ENTER)
    assert here.wait() == 0
    assert RESTORED in here.raw
    assert f"resnet-tui attach {directory.name}" in here.text()
    running = of_experiment(directory)
    assert len(running) >= 2, "a supervisor and a rank go on"

    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    again = open_terminal("attach", columns=80, rows=24, cwd=elsewhere)
    again.wait_for(lambda text: "running" in text and train_loss(text) is not None, 30)
    stopped = resnet_tui(["stop"], cwd=elsewhere)
    assert stopped.returncode == 0, stopped.stderr
    again.wait_for("stopped", 60)
    assert wait_until_gone(running) == []
    again.send("q")
    assert again.wait() == 0
    assert (directory / "01-single" / "checkpoints" / "last.pt").is_file()
    assert "stopped" in resnet_tui(["list"], cwd=elsewhere).stdout


def test_hostile_names_are_shown_harmless(open_terminal: Open, tmp_path: Path) -> None:
    root = tmp_path / "pictures"
    for name in ("[red]ants[/nope]", "\x1b]0;stolen\x07bees", "cats\u202egpj", "dogs\nmice"):
        (root / name).mkdir(parents=True)
    terminal = open_terminal(str(root), columns=80, rows=24)
    terminal.wait_for("no images")
    for keys in ("\t", "\t", "?", BACKSPACE, ":", "\x1b"):
        terminal.send(keys)
        time.sleep(0.3)
    assert b"\x1b]0;stolen" not in terminal.raw
    assert "\u202e".encode() not in terminal.raw
    assert terminal.process.poll() is None
    terminal.send("\x11")
    assert terminal.wait() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_with_the_terminal_restored(
    open_terminal: Open, number: signal.Signals
) -> None:
    terminal = open_terminal(str(DIGITS), columns=80, rows=24)
    terminal.wait_for("single")
    os.kill(terminal.process.pid, number)
    terminal.wait(10)
    assert RESTORED in terminal.raw
    assert "Traceback" not in terminal.text()


def test_a_vanished_terminal_ends_the_dashboard_and_not_the_training(
    open_terminal: Open, experiments: Path
) -> None:
    terminal = open_terminal(str(DIGITS), "--epochs", "50")
    terminal.wait_for(lambda text: "Enter starts single" in text)
    terminal.send(ENTER)
    terminal.wait_for("importing torch")
    directory = only_experiment(experiments)
    dashboard = psutil.Process(terminal.process.pid)
    terminal.vanish()
    terminal.wait(10)
    assert not dashboard.is_running()
    running = of_experiment(directory)
    assert len(running) >= 2
    assert "running" in resnet_tui(["status"]).stdout
    assert resnet_tui(["stop"]).returncode == 0
    assert wait_until_gone(running) == []


def test_without_a_terminal_it_trains_headless_and_prints_the_table(experiments: Path) -> None:
    """What ``make run`` does in a pipe."""
    result = resnet_tui([str(DIGITS), "--max-steps", "3", "--strategy", "single,amp"])
    assert result.returncode == 0, result.stderr
    assert re.search(r"^single +done", result.stdout, re.MULTILINE)
    assert re.search(r"^amp +done", result.stdout, re.MULTILINE)
    assert of_experiment(only_experiment(experiments)) == []


def test_it_follows_the_size_of_the_terminal(open_terminal: Open) -> None:
    terminal = open_terminal(str(DIGITS), columns=160, rows=48)
    terminal.wait_for(lambda text: "Enter starts single" in text)
    terminal.resize(80, 24)
    time.sleep(1)
    shown = terminal.wait_for("q quit")
    assert len(shown.splitlines()) == 24
    terminal.resize(160, 48)
    terminal.wait_for(lambda text: "q quit" in text.splitlines()[-1])


def test_a_size_that_is_back_at_once_leaves_no_shreds(open_terminal: Open) -> None:
    terminal = open_terminal(str(DIGITS), columns=160, rows=48)
    terminal.wait_for(lambda text: "Enter starts single" in text)
    for _ in range(5):
        # What the smaller terminal cut off is gone, though the dashboard saw no change at last.
        terminal.resize(80, 24)
        terminal.resize(160, 48)
        terminal.wait_for(lambda text: "q quit" in text.splitlines()[-1], 10)


def test_no_colour_where_none_is_wanted(
    open_terminal: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    terminal = open_terminal(str(DIGITS), columns=80, rows=24)
    terminal.wait_for("single")
    coloured = re.findall(rb"\x1b\[[0-9;]*\b[34]8;2;(\d+);(\d+);(\d+)", terminal.raw)
    assert all(len(set(levels)) == 1 for levels in coloured), "only greys"
