"""Whether a machine was the same for all runs of a table: clocks, and who else used it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from engine.journal.machine_view import GpuConditions
from engine.plan.uuids import bare
from engine.report.comparison import Held
from engine.report.evidence import Witness
from engine.report.findings.shared import FOREIGN
from engine.report.names import listed
from engine.report.spelling import gib

CLOCKS = 0.03
"""Mean clocks that differ by more than this share do not compare as equal."""
CORES = 0.10
"""Of the machine's cores: by so much others may use more of them in one run than in another."""


def clocks(witnesses: Sequence[Witness]) -> Held:
    """Of the streaming multiprocessors of the GPUs that a run used, on average."""
    what = "clocks"
    told = [(each, _clock(each)) for each in witnesses if not each.on_cpu]
    known = [(each, clock) for each, clock in told if clock is not None]
    if len(known) < len(told) or not known:
        return Held(what, "unknown", _silent(told))
    (slow, low), (fast, high) = _ends(known)
    if high - low > CLOCKS * high:
        one, other = _called(slow, fast)
        return Held(what, "differs", f"{one} ran at {low:.0f} MHz, {other} at {high:.0f}")
    return Held(what, "equal", f"{low:.0f} to {high:.0f} MHz, on average over a run")


def other_users_of_gpus(witnesses: Sequence[Witness]) -> Held:
    """The most memory that processes of others held of a GPU while a run lasted."""
    what = "other users of the GPUs"
    told = [(each, _foreign(each)) for each in witnesses if not each.on_cpu]
    known = [(each, held) for each, held in told if held is not None]
    shared = list(dict.fromkeys(each.name for each, held in known if held >= FOREIGN))
    if shared:
        most = max(held for _, held in known)
        return Held(what, "differs", f"others held up to {gib(most)} beside {listed(shared)}")
    if len(known) < len(told) or not known:
        return Held(what, "unknown", _silent(told))
    return Held(what, "equal", "none")


def other_users_of_cores(witnesses: Sequence[Witness]) -> Held:
    """Cores busy with something else, on average over each run."""
    what = "other users of the cores"
    told = [
        (each, each.run.conditions.other_cores if each.run.conditions is not None else None)
        for each in witnesses
    ]
    known = [(each, busy) for each, busy in told if busy is not None]
    cores = [each.cores for each in witnesses if each.cores]
    if len(known) < len(told) or not known or not cores:
        return Held(what, "unknown", _silent(told))
    (least, low), (most, high) = _ends(known)
    if high - low > CORES * min(cores):
        one, other = _called(most, least)
        return Held(
            what,
            "differs",
            f"{high:.1f} cores busy with others beside {one}, {low:.1f} beside {other}",
        )
    return Held(what, "equal", f"at most {high:.1f} of {min(cores)} cores, on average over a run")


def _clock(each: Witness) -> float | None:
    return _mean(each, lambda gpu: gpu.sm_clock)


def _foreign(each: Witness) -> int | None:
    known = [gpu.others_memory for gpu in _gpus(each) if gpu.others_memory is not None]
    return max(known, default=None)


def _mean(each: Witness, value: Callable[[GpuConditions], float | None]) -> float | None:
    known = [found for gpu in _gpus(each) if (found := value(gpu)) is not None]
    return sum(known) / len(known) if known else None


def _gpus(each: Witness) -> list[GpuConditions]:
    """Those that the run trained on: torch and the driver may count GPUs in different orders."""
    there = each.run.conditions.gpus if each.run.conditions is not None else ()
    used = {bare(uuid) for _, ready in each.run.readies for uuid in ready.uuids}
    return [gpu for gpu in there if bare(gpu.uuid) in used]


def _ends(
    known: Sequence[tuple[Witness, float]],
) -> tuple[tuple[Witness, float], tuple[Witness, float]]:
    ordered = sorted(known, key=lambda each: each[1])
    return ordered[0], ordered[-1]


def _called(*those: Witness) -> list[str]:
    """With the repeat where they are of one row."""
    alike = len({each.name for each in those}) < len(those)
    return [
        f"repeat {each.plan.repeat + 1} of {each.name}" if alike else each.name for each in those
    ]


def _silent(told: Sequence[tuple[Witness, float | None]]) -> str:
    """Who says nothing, where others do."""
    names = list(dict.fromkeys(each.name for each, value in told if value is None))
    spoke = any(value is not None for _, value in told)
    return f"not told by {listed(names)}" if names and spoke else ""
