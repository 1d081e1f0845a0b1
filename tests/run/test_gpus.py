"""Drivers that hang and crash: the supervisor's side of it."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from engine.journal.events import Event, GpuReading, GpusFound
from engine.run.gpus import Gpus
from engine.run.piped import Piped
from tests.run.nvml.driver import Driver

HANGS = "NVIDIA's driver does not answer"


def test_a_driver_that_hangs_takes_nothing_along(driver: Driver) -> None:
    gpus = driver.start(silence=1.0)
    driver.readings()
    first = gpus.pid
    driver.script.put({"hang nvmlDeviceGetUtilizationRates": ""})
    assert driver.readings(lambda readings: readings[0].problem) == (GpuReading(problem=HANGS),) * 8
    assert gpus.problem == HANGS
    driver.script.drop("hang nvmlDeviceGetUtilizationRates")
    assert driver.readings(lambda readings: not readings[0].problem)[0].temperature == 30.0
    assert gpus.pid != first
    # All is well when it has answered for a while.
    while gpus.problem:
        driver.readings()


def test_a_driver_that_crashes_is_asked_again(driver: Driver) -> None:
    gpus = driver.start()
    driver.readings()
    driver.script.put({"crash nvmlDeviceGetPowerUsage": ""})
    problem = driver.readings(lambda readings: readings[0].problem)[0].problem
    assert problem == "the process that reads them ended with signal 6 (SIGABRT)"
    driver.script.drop("crash nvmlDeviceGetPowerUsage")
    driver.readings(lambda readings: not readings[0].problem)
    # A driver that was taken away for an update is not the end of it either.
    driver.script.put({"crash nvmlDeviceGetPowerUsage": "", "fail nvmlInitWithFlags": 9})
    driver.readings(lambda readings: "driver is not loaded" in readings[0].problem)
    driver.script.drop("crash nvmlDeviceGetPowerUsage", "fail nvmlInitWithFlags")
    driver.readings(lambda readings: not readings[0].problem)
    assert all(len(each.gpus) == 8 for each in driver.told if isinstance(each, GpusFound))
    assert len(gpus.facts) == 8


def test_a_driver_that_hangs_from_the_start_is_told_of_once(driver: Driver) -> None:
    driver.script.put({"hang nvmlInitWithFlags": ""})
    gpus = driver.start(waking=2.0)
    first = gpus.pid
    assert driver.found().problem == f"no readings of GPUs: {HANGS}"
    while gpus.pid in (first, None):
        assert gpus.poll() == []
        time.sleep(0.01)
    driver.script.drop("hang nvmlInitWithFlags")
    driver.readings()
    assert len(driver.found().gpus) == 8


@pytest.mark.parametrize("binding", ["raise ImportError('it is not there')", "NVMLError = OSError"])
def test_without_nvidias_binding_it_is_said_once_and_not_tried_again(
    binding: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.joinpath("pynvml.py").write_text(binding)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    gpus = Gpus(tmp_path, 0.2, pauses=(0.0, 0.0))
    told: list[Event] = []
    while gpus.pid is not None:
        told += gpus.poll()
        time.sleep(0.01)
    assert gpus.poll() == []
    assert gpus.pid is None
    (found,) = told
    assert isinstance(found, GpusFound)
    assert "nvidia-ml-py cannot be used" in found.problem
    assert gpus.problem == "", "nothing to warn of"


def test_a_child_that_floods_holds_nobody_up(tmp_path: Path) -> None:
    noise = tmp_path / "noise.py"
    noise.write_text("import sys\nwhile True: sys.stdout.buffer.write(b'x' * 65536)")
    child = Piped([sys.executable, str(noise)])
    try:
        for _ in range(100):
            assert child.read() == []
            time.sleep(0.001)
    finally:
        child.close()
    assert child.exit_code == -signal.SIGKILL


def test_the_reader_dies_with_its_supervisor(driver: Driver, tmp_path: Path) -> None:
    code = (
        "import pathlib, sys, time; from engine.run.gpus import Gpus\n"
        "gpus = Gpus(pathlib.Path(sys.argv[1]), 0.2)\n"
        "while not gpus.facts: gpus.poll()\n"
        "print('ready', flush=True); time.sleep(300)"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    with psutil.Popen(command, stdout=subprocess.PIPE) as supervisor:
        assert supervisor.stdout.readline() == b"ready\n"
        (reader,) = supervisor.children()
        # A service manager may ask all of them to end; readings are needed until the last.
        reader.terminate()
        reader.send_signal(signal.SIGINT)
        driver.start()
        driver.readings()
        assert reader.is_running()
        supervisor.kill()
    assert psutil.wait_procs([reader], timeout=10)[1] == []
