"""The process that reads GPUs, with the real nvidia-ml-py in it and a stand-in for the driver."""

from __future__ import annotations

import subprocess
from ctypes.util import find_library
from functools import partial
from pathlib import Path

import pytest
from msgspec import structs

from engine.journal.events import GpuFacts, GpuReading, GpusFound
from tests.run.nvml.driver import GIB, Driver

BUSY = {
    "name": "NVIDIA H100 80GB HBM3",
    "uuid": "GPU-5a1e0000-1111-2222-3333-444455556666",
    "memory_total": 80 * GIB,
    "memory_reserved": 600 << 20,
    "memory_used": 23 * GIB,
    "utilization": 87,
    "temperature": 71,
    "power": 431_250,
    "power_limit": 650_000,
    "sm_clock": 1755,
    "reasons": 0x4,
    "field 197": 1 << 40,
    "field 198": 1 << 41,
    "field 138": 123,
    "field 139": 456,
}
"""A GPU whose every field is told; nothing moves on its links."""

READING = GpuReading(
    utilization=0.87,
    memory_used=23 * GIB,
    memory_ours=0,
    temperature=71.0,
    power=431.25,
    sm_clock=1755.0,
    throttled=("power cap",),
    pcie_in=0.0,
    pcie_out=0.0,
    nvlink_in=0.0,
    nvlink_out=0.0,
)
IDLE = GpuReading(
    utilization=0.0, memory_used=0, memory_ours=0, temperature=30.0, power=70.0, sm_clock=345.0
)
"""What the stand-in says of a GPU that is not scripted."""


def gpu(index: int, values: dict[str, object]) -> dict[str, object]:
    return {f"gpu {index} {key}": value for key, value in values.items()}


def first_is(expected: GpuReading, readings: tuple[GpuReading, ...]) -> bool:
    return readings[0] == expected


def test_every_value_comes_through(driver: Driver) -> None:
    driver.script.put(gpu(2, dict(BUSY)) | {"driver": "580.65.06"})
    driver.start()
    found = driver.found()
    assert (found.driver, found.problem) == ("580.65.06", "")
    assert [each.index for each in found.gpus] == list(range(8))
    assert found.gpus[2] == GpuFacts(
        index=2,
        uuid="GPU-5a1e0000-1111-2222-3333-444455556666",
        name="NVIDIA H100 80GB HBM3",
        memory_total=80 * GIB - (600 << 20),
        power_limit=650.0,
        visible=True,
    )
    readings = driver.readings(lambda readings: readings[2].nvlink_in is not None)
    assert readings[2] == READING
    assert [readings[index] for index in (0, 1, 3, 4, 5, 6, 7)] == [IDLE] * 7
    # What was counted in between is a rate.
    before = len(driver.told)
    driver.script.put(gpu(2, {"field 139": 456 + (1 << 20), "field 198": (1 << 41) + 5 * GIB}))
    moved = driver.readings(lambda readings: readings[2].nvlink_in)[2]
    gap = driver.told[-1].t - driver.told[before - 1].t
    assert moved.nvlink_in is not None
    assert moved.pcie_in is not None
    assert moved.pcie_in == pytest.approx(5 * moved.nvlink_in, rel=0.2)
    assert GIB / 4 < moved.nvlink_in * gap < 4 * GIB
    assert (moved.nvlink_out, moved.pcie_out) == (0.0, 0.0)


def test_what_is_not_supported_is_unknown_and_the_rest_intact(driver: Driver) -> None:
    driver.script.put(gpu(0, dict(BUSY)))
    driver.start()
    driver.readings(lambda readings: readings[0] == READING)
    for functions, without in (
        ("GetUtilizationRates", {"utilization": None}),
        ("GetTemperatureV GetTemperature", {"temperature": None}),
        ("GetPowerUsage", {"power": None}),
        ("GetClockInfo", {"sm_clock": None}),
        ("GetCurrentClocksEventReasons", {"throttled": ()}),
        ("GetComputeRunningProcesses_v3", {"memory_ours": None}),
        ("GetMemoryInfo_v2 GetMemoryInfo", {"memory_used": None}),
        # An older driver: what it keeps for itself counts as used.
        ("GetMemoryInfo_v2", {"memory_used": 23 * GIB + (600 << 20)}),
    ):
        failing = {f"gpu 0 fail nvmlDevice{each}": 3 for each in functions.split()}
        driver.script.put(failing)
        expected = structs.replace(READING, **without)
        assert driver.readings(partial(first_is, expected))[1] == IDLE
        driver.script.drop(*failing)
    driver.readings(partial(first_is, READING))


def test_counters_that_no_driver_has_and_every_error_there_is(driver: Driver) -> None:
    driver.script.put({f"gpu 1 fail nvmlDeviceGet{each}": 999 for each in ("Name", "PowerUsage")})
    driver.start()
    assert driver.found().gpus[1].name == "GPU"
    assert driver.readings()[1] == structs.replace(IDLE, power=None)


def test_a_gpu_drops_out_and_comes_back(driver: Driver) -> None:
    driver.start()
    driver.readings()
    driver.script.put({"gpu 3 error": 15})
    readings = driver.readings(lambda readings: readings[3].problem)
    assert readings[3] == GpuReading(problem="GPU is lost")
    assert [readings[index] for index in (0, 1, 2, 4, 5, 6, 7)] == [IDLE] * 7
    # It is reset: the driver answers again, but not through what the reader holds of it.
    driver.script.drop("gpu 3 error")
    assert driver.readings(lambda readings: not readings[3].problem)[3] == IDLE
    assert sum(isinstance(each, GpusFound) for each in driver.told) == 1


def test_a_gpu_that_is_lost_from_the_start_keeps_its_place(driver: Driver) -> None:
    driver.script.put({"gpu 0 error": 15})
    driver.start()
    found = driver.found()
    assert (found.gpus[0].uuid, len(found.gpus)) == ("", 8)
    assert driver.readings()[0].problem
    driver.script.drop("gpu 0 error")
    assert driver.readings(lambda readings: not readings[0].problem)[0] == IDLE
    assert driver.found().gpus[0].uuid == "GPU-00000000-0000-4000-8000-000000000000"


def test_slices_are_told_in_place_of_their_gpu(driver: Driver) -> None:
    whole = {"mig": 1, "temperature": 66, "sm_clock": 1410, "power": 300_000, "reasons": 0x20}
    driver.script.put(gpu(1, dict(whole)) | {"count": 2})
    for number, used in ((0, 3), (2, 5)):
        values = {"made": "", "memory_total": 10 * GIB, "memory_used": used * GIB}
        driver.script.put({f"slice 1 {number} {key}": value for key, value in values.items()})
    driver.start()
    found = driver.found().gpus
    assert [(each.index, each.slice, each.uuid[:12]) for each in found] == [
        (0, None, "GPU-00000000"),
        (1, 0, "MIG-00010000"),
        (1, 2, "MIG-00010002"),
    ]
    assert found[1].memory_total == 10 * GIB
    # Which of them CUDA takes where none is named is its own affair.
    assert [each.visible for each in found] == [None, None, None]
    readings = driver.readings()
    assert readings[2] == GpuReading(
        memory_used=5 * GIB, memory_ours=0, temperature=66.0, sm_clock=1410.0, throttled=("heat",)
    )


def test_only_gpus_that_training_may_use_are_told(
    driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-00000006,GPU-00000003")
    driver.script.put({"gpu 6 utilization": 66})
    driver.start()
    assert [(each.index, each.visible) for each in driver.found().gpus] == [(3, True), (6, True)]
    assert [each.utilization for each in driver.readings()] == [0.0, 0.66]


def test_whose_memory_it_is(driver: Driver) -> None:
    with subprocess.Popen(["sleep", "300"]) as ours:
        driver.script.put({f"gpu 0 process {ours.pid}": 5 * GIB, "gpu 0 process 1": 7 * GIB})
        driver.script.put({"gpu 1 process 1": 2 * GIB, f"gpu 2 process {ours.pid}": "unknown"})
        driver.start()
        try:
            readings = driver.readings()
        finally:
            ours.kill()
    assert [each.memory_ours for each in readings[:4]] == [5 * GIB, 0, None, 0]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"fail nvmlInitWithFlags": 9}, "no readings of GPUs: NVIDIA's driver is not loaded"),
        ({"fail nvmlInitWithFlags": 999}, "NVIDIA's driver answers 'Unknown Error'"),
        ({"count": 0}, "no readings of GPUs: NVIDIA's driver shows none here"),
    ],
)
def test_without_gpus_one_line_says_why(driver: Driver, said: dict[str, object], told: str) -> None:
    driver.script.put(said)
    gpus = driver.start()
    found = driver.found()
    assert found.gpus == ()
    assert told in found.problem
    while gpus.pid is not None:
        assert gpus.poll() == []


def test_without_the_library_one_line_says_why(
    driver: Driver, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if find_library("nvidia-ml"):
        pytest.skip("this machine has NVIDIA's library")
    monkeypatch.setenv("LD_LIBRARY_PATH", str(tmp_path))
    driver.start()
    problem = "no readings of GPUs: NVIDIA's library libnvidia-ml.so.1 is not installed here"
    assert driver.found().problem == problem
