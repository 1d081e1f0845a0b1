"""Whether a GPU of the run is slowed down by its heat or its power supply."""

from __future__ import annotations

from engine.report.findings.words import count
from engine.report.situation import Situation, UsedGpu
from engine.report.verdict import Verdict

_HARMFUL = {
    "heat": "cooling",
    "power brake": "power supply",
    "slowdown": "cooling and power supply",
}
"""A ``power cap`` is not among them: most GPUs that are busy run against it, as they are meant to.
"""
_MOST = 0.5
"""Of the samples: a GPU that is slowed now and then for a second loses little."""


def throttled(here: Situation) -> Verdict | None:
    """The GPU that was slowed down in most of the latest samples, the most often slowed one."""
    slowed = [(_share(gpu), gpu) for gpu in here.gpus]
    share, gpu = max(slowed, key=lambda each: each[0], default=(0.0, None))
    if gpu is None or share < here.least("throttled", _MOST):
        return None
    reason = _reason(gpu)
    finding = f"{gpu.name} slows down: {_WORDS[reason]}"
    if (clock := gpu.typical("sm_clock")) is not None:
        finding += f", at {count(clock)} MHz"
    if (heat := gpu.typical("temperature")) is not None:
        finding += f" and {count(heat)} °C" if clock is not None else f", at {count(heat)} °C"
    return Verdict(
        kind="throttled",
        title="GPU slowed down",
        finding=finding,
        change=f"check the {_HARMFUL[reason]} of {gpu.name}",
        evidence=conditions(gpu),
    )


def conditions(gpu: UsedGpu) -> tuple[tuple[str, str], ...]:
    """Clock, temperature and power, as far as they are known."""
    clock, heat = gpu.typical("sm_clock"), gpu.typical("temperature")
    power, limit = gpu.typical("power"), gpu.facts.power_limit
    told = []
    if clock is not None:
        told.append((f"{gpu.name} clock", f"{count(clock)} MHz"))
    if heat is not None:
        told.append((f"{gpu.name} temperature", f"{count(heat)} °C"))
    if power is not None:
        of = f" of {count(limit)}" if limit else ""
        told.append((f"{gpu.name} power", f"{count(power)}{of} W"))
    return tuple(told)


_WORDS = {
    "heat": "it is too hot",
    "power brake": "its power supply asks it to",
    "slowdown": "its own protection asks it to",
}


def _share(gpu: UsedGpu) -> float:
    """Of its samples, those in which it was slowed."""
    if not gpu.readings:
        return 0.0
    slowed = sum(bool(_HARMFUL.keys() & set(each.throttled)) for each in gpu.readings)
    return slowed / len(gpu.readings)


def _reason(gpu: UsedGpu) -> str:
    """The one that was told most often."""
    told = [why for each in gpu.readings for why in each.throttled if why in _HARMFUL]
    return max(_HARMFUL, key=told.count)
