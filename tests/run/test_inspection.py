"""Inspecting a folder in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from engine.errors import DatasetError
from engine.plan.inspection import Report
from engine.run.inspect import Inspection
from tests.plan.making import classes, image


def wait(until: Callable[[], bool], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.01)


def inspections() -> list[psutil.Process]:
    """The inspecting processes that this one started."""
    found = []
    for child in psutil.Process().children():
        try:
            if "engine.run.inspect" in child.cmdline():
                found.append(child)
        except (psutil.NoSuchProcess, psutil.ZombieProcess):
            continue
    return found


def test_it_ends_with_the_complete_report(sample_data: Path) -> None:
    inspection = Inspection(sample_data, 0.2, 0)
    assert inspection.poll() is None

    inspection.start()
    wait(lambda: inspection.done)

    report = inspection.poll()
    assert isinstance(report, Report)
    assert report.complete
    assert report.images == 1797
    assert not inspections()


def test_what_is_wrong_arrives_as_the_error_it_is(tmp_path: Path) -> None:
    inspection = Inspection(tmp_path / "gone", 0.2, 0)
    inspection.start()
    wait(lambda: inspection.done)

    error = inspection.poll()
    assert isinstance(error, DatasetError)
    assert str(error).startswith(f"there is no folder {tmp_path / 'gone'}; ")


def test_a_folder_whose_name_is_no_text(tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path) + b"/-\xff\x1b"
    for name in (b"/a/0.png", b"/a/1.png", b"/b/0.png", b"/b/1.png"):
        image(folder + name)
    inspection = Inspection(Path(os.fsdecode(folder)), 0.2, 0)
    inspection.start()
    wait(lambda: inspection.done)

    report = inspection.poll()
    assert isinstance(report, Report)
    assert report.images == 4


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A folder whose reading takes a while: thousands of files."""
    classes(tmp_path, cat=2, dog=2)
    for number in range(3000):
        (tmp_path / "dog" / f"{number}.jpg").touch()
    return tmp_path


def test_cancelling_ends_the_process_at_once(large: Path) -> None:
    inspection = Inspection(large, 0.2, 0)
    inspection.start()
    wait(lambda: inspection.poll() is not None)

    inspection.cancel()

    assert inspection.done
    assert not inspections()
    assert isinstance(inspection.poll(), Report)
    inspection.cancel()


def test_cancelling_before_the_start_is_nothing(tmp_path: Path) -> None:
    Inspection(tmp_path, 0.2, 0).cancel()


def test_a_process_that_dies_is_told(sample_data: Path) -> None:
    inspection = Inspection(sample_data, 0.2, 0)
    inspection.start()
    for process in inspections():
        process.send_signal(signal.SIGKILL)
    wait(lambda: inspection.done)

    error = inspection.poll()
    assert isinstance(error, DatasetError)
    assert "could not be inspected to its end (the process ended with code -9)" in str(error)


def test_it_ends_with_the_process_that_asked(tmp_path: Path) -> None:
    """However that ends: here with SIGKILL, while the inspecting process is stopped."""
    classes(tmp_path, cat=2, dog=2)
    program = (
        "import time, sys; from pathlib import Path; from engine.run.inspect import Inspection;"
        "i = Inspection(Path(sys.argv[1]), 0.2, 0); i.start();"
        "print(i._process.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as asking:
        assert asking.stdout is not None
        process = psutil.Process(int(asking.stdout.readline()))
        process.suspend()
        asking.kill()
        asking.wait()
    process.resume()

    wait(lambda: not process.is_running() or process.status() == psutil.STATUS_ZOMBIE)
