"""One reading of a GPU: each of its fields asked for alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from typing import Any

import pynvml

from engine.journal.events import GpuReading
from engine.run import nvml
from engine.run.nvml import Answers, Gpu

_ALL_LINKS = 0xFFFFFFFF
_NVLINK = [
    (pynvml.NVML_FI_DEV_NVLINK_THROUGHPUT_DATA_RX, _ALL_LINKS),
    (pynvml.NVML_FI_DEV_NVLINK_THROUGHPUT_DATA_TX, _ALL_LINKS),
]
"""KiB to and from a GPU since its driver was loaded."""
_PCIE = [
    getattr(pynvml, "NVML_FI_DEV_PCIE_COUNT_RX_BYTES", 198),
    getattr(pynvml, "NVML_FI_DEV_PCIE_COUNT_TX_BYTES", 197),
]
"""Bytes to and from a GPU; only newer drivers count them."""

_POWER_CAP = 0x4
_SLOWDOWN = 0x8
_HEAT = 0x20 | 0x40
_POWER_BRAKE = 0x80
"""Bits of ``nvmlClocksEventReason*``: the driver's power limit; the hardware's own slowdown; heat,
as the driver and as the hardware sees it; the power supply's brake."""

Rates = tuple[float | None, float | None]
"""Bytes per second to and from a GPU."""


class Reader:
    """Reads one GPU again and again; what it counts becomes a rate from the second time on."""

    def __init__(self, gpu: Gpu, *, may_block: bool) -> None:
        """``may_block``: 40 ms per reading may be spent on PCIe where nothing is counted.

        The driver then measures for 20 ms in each direction before it answers.
        """
        self.gpu = gpu
        self._may_block = may_block
        self._links = _Counters(_NVLINK, 1024)
        self._pcie = _Counters(_PCIE, 1)

    def read(self, ours: Callable[[], Collection[int]]) -> GpuReading:
        """How the GPU is now; ``ours`` are the pids of this experiment.

        Never raises: a field without an answer is ``None``. Of a slice, temperature, clock and
        throttling are those of its GPU, and what cannot be told apart is ``None``.
        """
        handle, whole = self.gpu.handle, self.gpu.whole
        answers = Answers()
        if handle is None:
            return GpuReading(problem="the driver does not give access to it")
        used, _ = nvml.memory(answers, handle)
        shared = handle if whole is None else whole
        own = whole is None
        pcie = self._traffic(answers, handle) if own else (None, None)
        links = self._links.rates(answers, handle) if own else (None, None)
        reading = GpuReading(
            utilization=_utilization(answers, handle) if own else None,
            memory_used=used,
            memory_ours=_memory_of(answers, handle, ours),
            temperature=_temperature(answers, shared),
            power=_thousandth(answers.ask(pynvml.nvmlDeviceGetPowerUsage, handle)) if own else None,
            sm_clock=answers.ask(pynvml.nvmlDeviceGetClockInfo, shared, pynvml.NVML_CLOCK_SM),
            throttled=throttled(_reasons(answers, shared)),
            pcie_in=pcie[0],
            pcie_out=pcie[1],
            nvlink_in=links[0],
            nvlink_out=links[1],
        )
        return GpuReading(problem=answers.problem) if answers.problem else reading

    def _traffic(self, answers: Answers, handle: Any) -> Rates:
        rates = self._pcie.rates(answers, handle)
        if self._pcie.counted or not self._may_block:
            return rates
        # In KB per second; "received" and "transmitted" are seen from the GPU.
        received = answers.ask(
            pynvml.nvmlDeviceGetPcieThroughput, handle, pynvml.NVML_PCIE_UTIL_RX_BYTES
        )
        sent = answers.ask(
            pynvml.nvmlDeviceGetPcieThroughput, handle, pynvml.NVML_PCIE_UTIL_TX_BYTES
        )
        return (
            None if received is None else received * 1000.0,
            None if sent is None else sent * 1000.0,
        )


class _Counters:
    """Two counters that only grow, as rates between two looks at them."""

    def __init__(self, wanted: list[Any], unit: int) -> None:
        self._wanted, self._unit = wanted, unit
        self._before: tuple[float, list[int]] | None = None

    @property
    def counted(self) -> bool:
        return self._before is not None

    def rates(self, answers: Answers, handle: Any) -> Rates:
        counted = nvml.fields(answers, handle, self._wanted)
        now = time.monotonic()
        before, self._before = self._before, None if counted is None else (now, counted)
        if counted is None or before is None or now <= before[0]:
            return None, None
        grown = [after - value for value, after in zip(before[1], counted, strict=True)]
        if min(grown) < 0:
            return None, None  # The driver began anew.
        # Whole bytes: more digits only fill the journal.
        received, sent = (round(self._unit * each / (now - before[0])) for each in grown)
        return received, sent


def throttled(reasons: int | None) -> tuple[str, ...]:
    """The driver's bits as words; the hardware's slowdown alone where its cause is not told."""
    if reasons is None:
        return ()
    found = [
        word
        for bit, word in ((_POWER_CAP, "power cap"), (_HEAT, "heat"), (_POWER_BRAKE, "power brake"))
        if reasons & bit
    ]
    if reasons & _SLOWDOWN and not reasons & (_HEAT | _POWER_BRAKE):
        found.append("slowdown")
    return tuple(found)


def _utilization(answers: Answers, handle: Any) -> float | None:
    rates = answers.ask(pynvml.nvmlDeviceGetUtilizationRates, handle)
    return None if rates is None else rates.gpu / 100


def _memory_of(answers: Answers, handle: Any, ours: Callable[[], Collection[int]]) -> int | None:
    """Bytes of our processes as far as the driver lists them: 0 where it lists none of ours."""
    processes = answers.ask(pynvml.nvmlDeviceGetComputeRunningProcesses, handle)
    if processes is None:
        return None
    if not processes:
        return 0
    pids = ours()
    held = [each.usedGpuMemory for each in processes if each.pid in pids]
    return None if None in held else sum(held)


def _temperature(answers: Answers, handle: Any) -> float | None:
    sensor = pynvml.NVML_TEMPERATURE_GPU
    if hasattr(pynvml, "nvmlDeviceGetTemperatureV"):
        degrees = answers.ask(pynvml.nvmlDeviceGetTemperatureV, handle, sensor)
        if degrees is not None:
            return float(degrees)
    # Older drivers and bindings know only this question, newer ones will forget it.
    degrees = answers.ask(pynvml.nvmlDeviceGetTemperature, handle, sensor)
    return None if degrees is None else float(degrees)


def _reasons(answers: Answers, handle: Any) -> int | None:
    if hasattr(pynvml, "nvmlDeviceGetCurrentClocksEventReasons"):
        reasons = answers.ask(pynvml.nvmlDeviceGetCurrentClocksEventReasons, handle)
        if reasons is not None:
            return int(reasons)
    # The name it had before driver 535.
    reasons = answers.ask(pynvml.nvmlDeviceGetCurrentClocksThrottleReasons, handle)
    return None if reasons is None else int(reasons)


def _thousandth(value: int | None) -> float | None:
    return None if value is None else value / 1000
