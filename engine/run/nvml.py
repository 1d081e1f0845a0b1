"""NVIDIA's driver, asked through its library NVML: any single answer may be missing, none ends us.

Only for a process of its own (``gpu_reader``): a driver can hang in any of these calls.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import pynvml

from engine.journal.events import GpuFacts
from engine.plan.text import clean

_Answer = TypeVar("_Answer")

_NOT_THIS_TIME = (pynvml.NVMLError, AttributeError, ValueError)
"""What a question ends in beside an answer: the driver's error, a binding that is too old for the
question, a text that is none."""

_GONE = (pynvml.NVML_ERROR_GPU_IS_LOST, pynvml.NVML_ERROR_RESET_REQUIRED)
"""Errors that are of the whole GPU, whatever was asked."""

_NO_DRIVER = {
    pynvml.NVML_ERROR_LIBRARY_NOT_FOUND: (
        "no readings of GPUs: NVIDIA's library libnvidia-ml.so.1 is not installed here"
    ),
    pynvml.NVML_ERROR_DRIVER_NOT_LOADED: "no readings of GPUs: NVIDIA's driver is not loaded",
    pynvml.NVML_ERROR_LIB_RM_VERSION_MISMATCH: (
        "no readings of GPUs: NVIDIA's driver was updated under a running system; restart it"
    ),
    pynvml.NVML_ERROR_NO_PERMISSION: (
        "no readings of GPUs: this user may not open NVIDIA's devices (/dev/nvidia*)"
    ),
}


class Answers:
    """Asks, and remembers what went wrong since it was made."""

    def __init__(self) -> None:
        self.errors: list[Exception] = []
        self._answered = False

    def ask(self, question: Callable[..., _Answer], *of: Any) -> _Answer | None:
        """The answer; ``None`` where there is none."""
        try:
            answer = question(*of)
        except _NOT_THIS_TIME as error:
            self.errors.append(error)
            return None
        self._answered = True
        return answer

    @property
    def problem(self) -> str:
        """What the driver says where the GPU is gone, or answered nothing at all."""
        for error in self.errors:
            if getattr(error, "value", None) in _GONE:
                return words(error)
        return "" if self._answered or not self.errors else words(self.errors[0])


class Gpu:
    """A GPU, or a slice of one (MIG), that questions can be asked about."""

    def __init__(self, facts: GpuFacts, handle: Any, whole: Any = None) -> None:
        """``whole``: the handle of the GPU that ``handle`` is a slice of."""
        self.facts = facts
        self.handle = handle
        self.whole = whole


def words(error: Exception) -> str:
    return clean(str(error)) or type(error).__name__


def connect() -> str:
    """Makes ready for questions; a sentence where there is no driver to be asked."""
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        return _NO_DRIVER.get(
            error.value, f"no readings of GPUs: NVIDIA's driver answers '{words(error)}'"
        )
    return ""


def disconnect() -> None:
    Answers().ask(pynvml.nvmlShutdown)


def driver_version() -> str:
    return clean(Answers().ask(pynvml.nvmlSystemGetDriverVersion) or "")


def gpus() -> list[Gpu]:
    """All of them, in the driver's order; of one that is cut into slices, the slices instead."""
    answers = Answers()
    found: list[Gpu] = []
    for index in range(answers.ask(pynvml.nvmlDeviceGetCount) or 0):
        handle = answers.ask(pynvml.nvmlDeviceGetHandleByIndex, index)
        if handle is None:
            # Its place is kept, so that the others keep their numbers.
            found.append(Gpu(GpuFacts(index=index, uuid="", name="GPU"), None))
            continue
        mode = answers.ask(pynvml.nvmlDeviceGetMigMode, handle)
        if mode is not None and mode[0] == 1:
            found += _slices(index, handle)
        else:
            found.append(Gpu(_facts(index, handle), handle))
    return found


def memory(answers: Answers, handle: Any) -> tuple[int | None, int | None]:
    """Bytes used by programs and bytes that programs can have.

    What the driver keeps for itself (about 0.6 GiB of an H100) is in neither, where it tells: it
    is of no other program, and nobody can have it. That is torch's idea of a total as well.
    """
    info = answers.ask(pynvml.nvmlDeviceGetMemoryInfo, handle, pynvml.nvmlMemory_v2)
    if info is not None:
        return info.used, info.total - info.reserved
    info = answers.ask(pynvml.nvmlDeviceGetMemoryInfo, handle)
    return (None, None) if info is None else (info.used, info.total)


def fields(answers: Answers, handle: Any, wanted: list[Any]) -> list[int] | None:
    """Counters of 64 bits, all of ``wanted`` (a number, or a number and a scope) or none.

    A counter of 32 bits is none: at a few GB/s it wraps around between two samples.
    """
    values = answers.ask(pynvml.nvmlDeviceGetFieldValues, handle, wanted)
    if values is None:
        return None
    counted = []
    for each in values:
        if each.nvmlReturn != pynvml.NVML_SUCCESS:
            return None
        if each.valueType == pynvml.NVML_VALUE_TYPE_UNSIGNED_LONG_LONG:
            counted.append(int(each.value.ullVal))
        elif each.valueType == pynvml.NVML_VALUE_TYPE_UNSIGNED_LONG:
            counted.append(int(each.value.ulVal))
        else:
            return None
    return counted


def _facts(index: int, handle: Any) -> GpuFacts:
    answers = Answers()
    limit = answers.ask(pynvml.nvmlDeviceGetEnforcedPowerLimit, handle)
    return GpuFacts(
        index=index,
        uuid=clean(answers.ask(pynvml.nvmlDeviceGetUUID, handle) or ""),
        name=clean(answers.ask(pynvml.nvmlDeviceGetName, handle) or "GPU"),
        memory_total=memory(answers, handle)[1],
        power_limit=None if limit is None else limit / 1000,
    )


def _slices(index: int, whole: Any) -> list[Gpu]:
    """The slices that were made of a GPU; their power cannot be told apart."""
    answers = Answers()
    found = []
    for number in range(answers.ask(pynvml.nvmlDeviceGetMaxMigDeviceCount, whole) or 0):
        handle = answers.ask(pynvml.nvmlDeviceGetMigDeviceHandleByIndex, whole, number)
        if handle is None:
            continue  # Not made: there may be gaps.
        facts = GpuFacts(
            index=index,
            slice=number,
            uuid=clean(answers.ask(pynvml.nvmlDeviceGetUUID, handle) or ""),
            name=clean(answers.ask(pynvml.nvmlDeviceGetName, handle) or "GPU"),
            memory_total=memory(answers, handle)[1],
        )
        found.append(Gpu(facts, handle, whole))
    return found
