"""Over how many devices a run spreads, and into how many pieces it cuts its batches."""

from __future__ import annotations

from dataclasses import replace

from engine.errors import StrategyError
from engine.plan.config import Settings
from engine.plan.layers import learning
from engine.plan.machine import Machine
from engine.plan.resizing import smallest
from engine.plan.strategies import Strategy

_PIECES_PER_STAGE = 4
"""Micro-batches per stage from which on a bubble hardly counts (Huang et al. 2019, 1811.06965)."""

_SMALL = 32
"""Up to this image size the last feature map is one pixel: one image alone has no variance."""


def kind_of(settings: Settings, machine: Machine) -> str:
    """The kind of device on which every run of an experiment trains."""
    return machine.best if settings.device == "auto" else settings.device


def gpus_of(settings: Settings, machine: Machine) -> int:
    """CUDA devices that a run may use."""
    there = sum(device.kind == "cuda" for device in machine.devices)
    return there if settings.gpus is None else len(settings.gpus)


def needs_company(settings: Settings) -> bool:
    """Whether batch normalisation fails on one image alone, at the smallest side of any epoch."""
    # A frozen network normalises by its running statistics.
    return smallest(settings) <= _SMALL and not settings.freeze


def spread_out(chosen: Strategy, settings: Settings, machine: Machine) -> Settings:
    """``settings`` with devices, stages and micro-batches decided; raises ``StrategyError``."""
    match chosen.parallelism:
        case "none":
            return replace(settings, nproc=1, schedule="gpipe", recompute="never")
        case "dp" | "ddp" | "fsdp":
            nproc = settings.nproc or _devices(settings, machine)
            return replace(settings, nproc=nproc, schedule="gpipe", recompute="never")
        case "gpipe":
            return _gpipe(chosen, settings, machine)
        case "pipeline":
            return _pipeline(chosen, settings, machine)


def _devices(settings: Settings, machine: Machine) -> int:
    """As many as there are, where there are several; else 2."""
    there = gpus_of(settings, machine) if kind_of(settings, machine) == "cuda" else 0
    return max(2, there)


def _stages(settings: Settings, machine: Machine) -> int:
    """Stages that were asked for; else one for each device, as far as the layers go."""
    if settings.stages is not None:
        return settings.stages
    if settings.balance is not None:
        if len(settings.balance) == 1:
            raise StrategyError(
                f"balance (--balance) {settings.balance[0]} is one stage, and a pipeline has 2 or "
                "more; give the layers of each, as 3,9"
            )
        return len(settings.balance)
    if settings.nproc is not None and settings.nproc > 1:
        return settings.nproc
    return min(_devices(settings, machine), sum(learning(settings.model)))


def _gpipe(chosen: Strategy, settings: Settings, machine: Machine) -> Settings:
    """One process: a device for each stage, or one device for all of them."""
    stages = _stages(settings, machine)
    on_gpus = kind_of(settings, machine) == "cuda"
    alone = settings.nproc == 1 or (on_gpus and stages > gpus_of(settings, machine))
    if not alone and settings.nproc not in (None, stages):
        raise StrategyError(
            f"gpipe puts each stage on a device of its own, and {stages} stages do not fit "
            f"{settings.nproc} devices (--nproc); give as many, or --nproc 1 to share one"
        )
    gpus = settings.gpus
    if on_gpus and alone:
        gpus = (gpus or (0,))[:1]
    recompute = "except_last" if settings.recompute == "auto" else settings.recompute
    if settings.gradient_checkpointing:
        if settings.recompute not in ("auto", "always"):
            raise StrategyError(
                "gpipe with gradient checkpointing (--gradient-checkpointing) computes the "
                f"activations of all micro-batches twice, and recompute (--recompute) is "
                f"{settings.recompute}; leave one of them out"
            )
        recompute = "always"
    nproc = 1 if alone else stages
    decided = replace(settings, nproc=nproc, gpus=gpus, stages=stages, recompute=recompute)
    return cut(chosen, decided, stages)


def _pipeline(chosen: Strategy, settings: Settings, machine: Machine) -> Settings:
    """A process for each stage."""
    if settings.nproc == 1:
        raise StrategyError(
            "pipeline has a process for each of 2 stages or more, and --nproc is 1; leave it out"
        )
    stages = _stages(settings, machine)
    if settings.nproc not in (None, stages):
        raise StrategyError(
            f"pipeline has a process for each stage: {stages} stages do not fit "
            f"{settings.nproc} processes (--nproc); give as many, or leave one of them out"
        )
    return cut(chosen, replace(settings, nproc=stages, stages=stages, recompute="never"), stages)


def cut(chosen: Strategy, settings: Settings, stages: int) -> Settings:
    """``settings`` of a pipeline with what depends on its batch size decided."""
    micro_batches = _micro_batches(settings, stages)
    schedule = settings.schedule
    if chosen.parallelism == "gpipe":
        schedule = "gpipe"
    elif schedule == "auto":
        schedule = "1f1b" if micro_batches >= stages else "gpipe"
    return replace(settings, micro_batches=micro_batches, schedule=schedule)


def _micro_batches(settings: Settings, stages: int) -> int:
    """Pieces of equal size, some for each stage, and not of one image where that cannot be."""
    if settings.micro_batches is not None:
        return settings.micro_batches
    part = settings.batch_size // settings.accumulate
    most = min(_PIECES_PER_STAGE * stages, part // 2 if needs_company(settings) else part)
    return next((count for count in range(most, 1, -1) if part % count == 0), 1)
