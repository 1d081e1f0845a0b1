"""What is compared with plain training: add a line here to prove a strategy."""

from __future__ import annotations

from typing import Any

from tests.train.laboratory import Case

PARTS = (1, 2, 3)


def every_way(strategy: str, network: str = "group") -> list[Case]:
    """A parallelism x checkpointing x accumulation."""
    return [
        Case(strategy, {"gradient_checkpointing": checkpointing, "accumulate": parts}, network)
        for checkpointing in (False, True)
        for parts in PARTS
    ]


def in_stages(strategy: str, **settings: Any) -> list[Case]:
    """Micro-batches of unequal sizes, and parts, whatever else is set."""
    base = {**settings, "micro_batches": 3}
    return [Case(strategy, {**base, "accumulate": parts}) for parts in (1, 3)]


def beside(strategy: str, **settings: Any) -> list[Case]:
    """What comes on top: still statistics, other blocks, clipping, damage, tiny batches."""
    base = {**settings, "micro_batches": 2}
    return [
        Case(strategy, {**base, "gradient_checkpointing": True, "accumulate": 2}, "still"),
        Case(strategy, {**base, "channels_last": "no"}, "bottleneck"),
        Case(strategy, base, clip=0.05),
        Case(strategy, base, damaged=True),
        Case(strategy, {**base, "batch_size": 2, "max_steps": 3, "accumulate": 3}),
    ]


def mixed(strategy: str, **settings: Any) -> list[Case]:
    """Images mixed in pairs, smoothed labels and weighted classes; in parts, and with damage."""
    base = {
        "mixup": 0.4,
        "cutmix": 1.0,
        "label_smoothing": 0.1,
        "class_weights": "balanced",
        "micro_batches": 3,
        **settings,
    }
    return [
        Case(strategy, base),
        Case(strategy, {**base, "accumulate": 3}, damaged=True),
    ]


def learning(strategy: str, **settings: Any) -> list[Case]:
    """Other optimisers, weights that do not decay, averaged ones, and frozen ones."""
    base = {"micro_batches": 3, "decay_norm": False, **settings}
    adamw = {**base, "optimizer": "adamw", "ema": 0.9}
    return [
        Case(strategy, {**base, "nesterov": True, "accumulate": 2}, clip=0.05),
        Case(strategy, {**adamw, "on_nan": "skip"}, "still", clip=0.5),
        Case(strategy, {**adamw, "freeze": True, "on_nan": "skip"}, "batch", clip=0.05),
    ]


ONE_PROCESS = [
    *every_way("single"),
    *every_way("gradient-checkpointing", "still"),
    *(
        case
        for stages in (2, 3)
        for recompute in ("always", "except_last", "never")
        for case in in_stages("gpipe", nproc=stages, stages=stages, recompute=recompute)
    ),
    *beside("gpipe", nproc=2, stages=2),
    *mixed("single", accumulate=2),
    *mixed("gpipe", nproc=2, stages=2),
    *learning("single", accumulate=3),
    *learning("gradient-checkpointing"),
    *learning("gpipe", nproc=3, stages=3),
]
"""Strategies of one process."""

SEVERAL_RANKS = [
    *every_way("ddp"),
    *every_way("fsdp"),
    *(
        Case(name, {"gradient_checkpointing": True, "accumulate": 2}, network)
        for name in ("ddp", "fsdp")
        for network in ("still", "bottleneck")
    ),
    *(
        each
        for name in ("ddp", "fsdp")
        for each in (
            # Ranks without an image, in a world of 3, and parts without one on all of them.
            Case(name, {"batch_size": 2, "max_steps": 3, "accumulate": 2}),
            Case(name, clip=0.05),
            Case(name, damaged=True),
        )
    ),
    *(
        case
        for schedule in ("gpipe", "1f1b")
        for checkpointing in (False, True)
        for case in in_stages("pipeline", schedule=schedule, gradient_checkpointing=checkpointing)
    ),
    *beside("pipeline"),
    *(case for name in ("ddp", "fsdp", "pipeline") for case in mixed(name)),
    *(case for name in ("ddp", "fsdp", "pipeline") for case in learning(name)),
]
"""Strategies of several processes, at world sizes 2 and 3."""
