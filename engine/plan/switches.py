"""A strategy and the settings put together for a machine: what runs, or a sentence why not."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from engine.errors import StrategyError
from engine.plan.config import Settings
from engine.plan.machine import Machine
from engine.plan.rules import broken_rule
from engine.plan.spread import gpus_of, kind_of, spread_out
from engine.plan.strategies import SWITCHES, Strategy
from engine.plan.takes import DEFAULTS, switches_of, taken_by_none

Status = Literal["available", "functional only", "unavailable"]

_ON_CPU = "--device cpu trains with 2 CPU processes, everything in this experiment then"


@dataclass(frozen=True, slots=True)
class Availability:
    """Whether a machine can run a strategy; ``reason`` is a sentence where it is no plain yes."""

    status: Status
    reason: str = ""


_YES = Availability("available")


def _no(reason: str) -> Availability:
    return Availability("unavailable", reason)


def _slow(reason: str) -> Availability:
    return Availability("functional only", reason)


def runs_anywhere(chosen: Strategy, settings: Settings | None = None) -> bool:
    """Whether it needs nothing of a machine but what every training needs."""
    precision = switches_of(chosen, settings or Settings())["precision"]
    return chosen.parallelism == "none" and precision != "tf32"


def availability(
    chosen: Strategy, machine: Machine, settings: Settings | None = None
) -> Availability:
    """Whether ``machine`` can run ``chosen`` with ``settings``, and why not."""
    if machine.problem:
        return _no(machine.problem)
    settings = settings or Settings()
    settings = replace(settings, **switches_of(chosen, settings))
    kind = kind_of(settings, machine)
    if machine.torch and (missing := _missing_device(settings, machine, kind)):
        return _no(missing)
    if settings.precision == "tf32" and not _has_tf32(settings, machine, kind):
        return _no("TF32 needs an NVIDIA GPU of the Ampere generation or later")
    if chosen.parallelism == "none":
        return _YES
    if kind == "mps":
        return _no("it needs CUDA GPUs or CPU processes, not an Apple GPU; " + _ON_CPU)
    if kind == "cpu":
        return _on_cpu(chosen, settings)
    return _on_gpus(chosen, settings, gpus_of(settings, machine))


def combine(chosen: Strategy, settings: Settings, machine: Machine) -> Settings:
    """The settings of a run: see ``RunPlan.settings``. Raises ``StrategyError``.

    The strategy's own switches stand; the settings fill what it leaves open, and what means
    nothing to it is as if it had not been asked for.
    """
    combined = replace(settings, **switches_of(chosen, settings))
    if combined.precision == "auto":
        combined = replace(combined, precision="fp32")
    if combined.device == "auto" and machine.torch:
        # From here on the same kind of device for every run, whatever happens to the machine.
        combined = replace(combined, device=machine.best)
    combined = spread_out(chosen, combined, machine)
    if why := broken_rule(chosen, combined):
        raise StrategyError(why)
    return combined


def check(
    strategies: Sequence[Strategy],
    settings: Settings,
    machine: Machine,
    given: Collection[str] | None = None,
) -> None:
    """Raises ``StrategyError`` where the strategies cannot make an experiment together.

    ``given``: settings that were asked for (``None``: all that are not as usual); each must mean
    something to one of the strategies. Defaults of files apply where they can.
    """
    for name in SWITCHES if given is None else [each for each in SWITCHES if each in given]:
        value = getattr(settings, name)
        if value != DEFAULTS[name] and (why := taken_by_none(strategies, name, value)):
            raise StrategyError(why)
    seen: dict[object, str] = {}
    for each in strategies:
        if (can := availability(each, machine, settings)).status == "unavailable":
            raise StrategyError(f"{each.name} cannot run here: {can.reason}")
        training = (each.parallelism, combine(each, settings, machine))
        if training in seen:
            raise StrategyError(
                f"{seen[training]} and {each.name} are the same training; leave one out"
            )
        seen[training] = each.name


def _missing_device(settings: Settings, machine: Machine, kind: str) -> str:
    """What was asked for and is not there."""
    there = [device.index for device in machine.devices if device.kind == kind]
    torch = f"torch {machine.torch}"
    if settings.gpus is not None and kind != "cuda":
        return f"--gpus names GPUs, and {torch} sees none here; 'resnet-tui doctor' says why"
    if kind == "cuda" and not there:
        return f"--device cuda: {torch} sees no GPU here; 'resnet-tui doctor' says why"
    if kind == "mps" and not there:
        return "--device mps: this machine has no Apple GPU that torch can use"
    gone = [index for index in settings.gpus or () if index not in there]
    if gone:
        return f"--gpus names GPU {gone[0]}, and this machine has {len(there)}, counted from 0"
    return ""


def _has_tf32(settings: Settings, machine: Machine, kind: str) -> bool:
    # bf16 and TF32 came with the same generation.
    gpus = [device for device in machine.devices if device.kind == "cuda"]
    used = [each for each in gpus if settings.gpus is None or each.index in settings.gpus]
    return kind == "cuda" and bool(used) and all(each.bf16 for each in used)


def _on_cpu(chosen: Strategy, settings: Settings) -> Availability:
    if chosen.parallelism == "dp":
        return _no("DataParallel needs 2 GPUs; ddp trains with processes on a CPU")
    if chosen.parallelism == "gpipe":
        return _slow("on a CPU the stages take turns, no speed-up")
    return _alone() if settings.nproc == 1 else _YES


def _alone() -> Availability:
    return _slow("one process on one device, nothing is shared out")


def _on_gpus(chosen: Strategy, settings: Settings, gpus: int) -> Availability:
    wanted = settings.nproc
    if wanted is not None and wanted > gpus:
        return _no(f"processes (--nproc) is {wanted}, and there {_gpus(settings, gpus)}")
    if chosen.parallelism == "gpipe":
        stages = settings.stages or len(settings.balance or ()) or 2
        if gpus < 2 or wanted == 1:
            return _slow("one GPU computes all stages in turn, no speed-up")
        if stages > gpus:
            return _slow(f"there {_gpus(settings, gpus)} for {stages} stages: one takes all")
        return _YES
    if chosen.parallelism == "dp" and (gpus < 2 or wanted == 1):
        lacking = f"there {_gpus(settings, gpus)}" if gpus < 2 else "--nproc is 1"
        return _no(f"DataParallel needs 2 GPUs, and {lacking}")
    if chosen.parallelism in ("ddp", "fsdp") and wanted == 1:
        return _alone()
    if gpus < 2:
        return _no(f"it needs 2 GPUs, and there {_gpus(settings, gpus)}; {_ON_CPU}")
    stages = settings.stages or len(settings.balance or ()) or wanted or 2
    if chosen.parallelism == "pipeline" and stages > gpus:
        return _no(f"each of {stages} stages needs a GPU, and there {_gpus(settings, gpus)}")
    return _YES


def _gpus(settings: Settings, gpus: int) -> str:
    """``are 2``, or how many ``--gpus`` leaves."""
    named = " in --gpus" if settings.gpus is not None else ""
    return f"{'is' if gpus == 1 else 'are'} {gpus}{named}"
