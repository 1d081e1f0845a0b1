"""What cannot be combined: switches with each other, and with the numbers of a training.

Each rule looks at the settings of one run, all decided, and answers with a sentence or nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from engine.errors import SettingError
from engine.plan import stages
from engine.plan.config import Settings
from engine.plan.image_rules import growing, mixing
from engine.plan.layers import learning
from engine.plan.learning_rules import freezing, optimising
from engine.plan.pairs import at_once
from engine.plan.resizing import grows, smallest
from engine.plan.spread import needs_company
from engine.plan.strategies import Strategy

Rule = Callable[[Strategy, Settings], str]
"""A sentence that begins with the strategy's name (left out here), or nothing."""

_NOT_COMPILED: tuple[tuple[Callable[[Strategy, Settings], bool], str], ...] = (
    (
        lambda chosen, settings: chosen.parallelism == "gpipe",
        "cannot be compiled: torch.compile crashes under torchgpipe",
    ),
    (
        lambda chosen, settings: chosen.parallelism == "dp",
        "cannot be compiled: DataParallel copies the network to its GPUs anew in every step",
    ),
    (
        lambda chosen, settings: chosen.parallelism == "pipeline",
        "cannot be compiled: its stages are built anew for short batches",
    ),
    (
        lambda chosen, settings: settings.gradient_checkpointing,
        "cannot be compiled together with gradient checkpointing: batch normalisation holds its "
        "statistics still in the second computation, which torch.compile cannot trace",
    ),
)
"""What ``--compile`` cannot be combined with, and why."""


def broken_rule(chosen: Strategy, settings: Settings) -> str:
    """Why a run cannot be trained like this; empty where it can."""
    for rule in _RULES:
        if why := rule(chosen, settings):
            return f"{chosen.name} {why}"
    return ""


def of_switches_alone(chosen: Strategy) -> str:
    """Why the switches that a strategy itself fixes cannot be combined; empty where they can."""
    fixed = {
        name: value
        for name in ("compile", "gradient_checkpointing", "accumulate")
        if (value := getattr(chosen, name)) is not None
    }
    why = _compiled(chosen, Settings(**fixed))
    return f"{chosen.name} {why}" if why else ""


def _compiled(chosen: Strategy, settings: Settings) -> str:
    if not settings.compile:
        return ""
    for applies, why in _NOT_COMPILED:
        if applies(chosen, settings):
            return f"{why}; leave --compile out"
    return ""


def _synchronised(chosen: Strategy, settings: Settings) -> str:
    if settings.sync_bn and settings.device != "cuda":
        return (
            "cannot normalise over all processes (--sync-bn) here: SyncBatchNorm needs GPUs; "
            "leave it out"
        )
    return ""


def _layers(chosen: Strategy, settings: Settings) -> str:
    if settings.stages is None:
        return ""
    layers = learning(settings.model)
    try:
        stages.check_count(layers, settings.stages)
        if settings.balance is not None:
            stages.given(settings.balance, layers, settings.stages)
    except SettingError as error:
        return f"cannot cut {settings.model} like this: {error}"
    return ""


def _schedule(chosen: Strategy, settings: Settings) -> str:
    micro_batches, count = settings.micro_batches, settings.stages
    if micro_batches is None or count is None:
        return ""
    part = settings.batch_size // settings.accumulate
    if micro_batches > part:
        return (
            f"cannot cut a batch of {part} images into {micro_batches} micro-batches "
            f"(--micro-batches); give {part} or fewer"
        )
    made = _equal_pieces(part, micro_batches)
    if made != micro_batches and settings.batch_size % settings.accumulate == 0:
        more = next(n for n in range(micro_batches, part + 1) if _equal_pieces(part, n) == n)
        return (
            f"cannot cut a batch of {part} images into {micro_batches} micro-batches "
            f"(--micro-batches): of equal size they become {made}; give {made} or {more}"
        )
    if settings.schedule == "1f1b" and micro_batches < count:
        return (
            f"needs as many micro-batches as stages for the schedule 1f1b, and has "
            f"{micro_batches} for {count}; give --micro-batches {count} or more, or "
            "--schedule gpipe"
        )
    return ""


def _equal_pieces(images: int, wanted: int) -> int:
    """How many pieces ``torch.chunk`` makes, all of one size but the last."""
    return -(-images // -(-images // wanted))


def _parts(chosen: Strategy, settings: Settings) -> str:
    """Batches too small to be computed in parts; looked at before what divides the parts."""
    if settings.accumulate > settings.batch_size:
        return (
            f"cannot compute a batch of {settings.batch_size} images in {settings.accumulate} "
            f"parts (--accumulate); give {settings.batch_size} or fewer"
        )
    return ""


def _shares(chosen: Strategy, settings: Settings) -> str:
    """Batches too small to be shared out."""
    batch, nproc = settings.batch_size, settings.nproc or 1
    shared = chosen.parallelism in ("dp", "ddp", "fsdp")
    if shared and nproc > batch:
        return (
            f"cannot share a batch of {batch} images between {nproc} devices (--nproc); give "
            "fewer, or a larger --batch-size"
        )
    fewest, _ = at_once(chosen.parallelism, settings)
    if fewest <= 1 and needs_company(settings):
        parts = settings.accumulate > 1
        if shared:
            what = "device and part" if parts else "device"
        else:
            what = "micro-batch" if settings.micro_batches else "part" if parts else "step"
        return (
            f"leaves fewer than two images for each {what} (batch size {batch}), and batch "
            f"normalisation needs two at {smallest(settings)} px; give a larger --batch-size or "
            f"{'--resize-from' if grows(settings) else '--image-size'}, or fewer pieces"
        )
    return ""


_RULES: tuple[Rule, ...] = (
    _compiled, _synchronised, growing, _layers, _parts, mixing, _schedule, _shares, optimising,
    freezing,
)  # fmt: skip
