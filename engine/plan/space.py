"""What the checkpoints of a training will take on the disk, in bytes, before it starts. Pure.

A checkpoint holds the weights and buffers, what the optimiser remembers of each weight that is
trained, averaged weights where there are any, and what each rank alone knows. Everything is in 32
bits whatever the precision of the arithmetic.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.plan.config import Settings
from engine.plan.kept import FLOAT
from engine.plan.learning_rate import batch_sizes
from engine.plan.resnet_shapes import Layer, layers
from engine.plan.room import size
from engine.plan.runs import RunPlan
from engine.plan.text import clean

_ENTRY = 330
"""Bytes of the archive for each tensor in it: its name twice, its place, and what aligns it."""
_RANDOM = 5056
"""Bytes of the state of torch's random numbers."""
_KEPT = 2
"""``last.pt`` and ``best.pt``: one file with two names, or two files."""


def checkpoint_bytes(plan: RunPlan, classes: int) -> int:
    """Of one checkpoint of a run."""
    settings = plan.settings
    network = layers(settings.model, settings.image_size, classes)
    parameters = FLOAT * sum(each.parameters for each in network)
    buffers = sum(2 * FLOAT * each.channels + 8 * each.norms for each in network)
    tensors = sum(map(_tensors, network))
    held, entries = parameters + buffers, tensors
    trained = network[-1:] if settings.freeze else network
    copies = 2 if settings.optimizer == "adamw" else int(settings.momentum > 0)
    held += copies * FLOAT * sum(each.parameters for each in trained)
    # AdamW counts its steps as well, for each weight.
    learnt = sum(map(_learnt, trained))
    entries += (copies + (settings.optimizer == "adamw")) * learnt
    if settings.ema is not None:
        # Averages of what moves; what does not is in the file once.
        moving = 0 if settings.freeze else buffers
        held += FLOAT * sum(each.parameters for each in trained) + moving
        entries += learnt if settings.freeze else tensors
    own = _RANDOM + (buffers if plan.ranks > 1 else 0)
    norms = 3 * sum(each.norms for each in network) if plan.ranks > 1 else 0
    return held + plan.ranks * own + _ENTRY * (entries + plan.ranks * (1 + norms))


def kept_bytes(plan: RunPlan, classes: int, images: int | None = None) -> int:
    """Of all checkpoints of a run when it is done: the last, the best, and those kept for good.

    ``images`` of training: without them an epoch counts as one step where steps are limited. What
    time is given says nothing here, because nobody knows yet how long an epoch takes.
    """
    every = plan.settings.backup_epochs
    backups = _epochs(plan.settings, images) // every if every else 0
    return (_KEPT + backups) * checkpoint_bytes(plan, classes)


def needed(
    plans: Sequence[RunPlan], classes: int, there: int = 0, images: int | None = None
) -> int:
    """What all runs together will take at most, beside ``there`` bytes that they have already: one
    trains at a time, and a checkpoint is written beside the one that it replaces."""
    kept = sum(kept_bytes(each, classes, images) for each in plans)
    making = max((checkpoint_bytes(each, classes) for each in plans), default=0)
    return max(making, kept + making - there) if plans else 0


def too_little(need: int, without_backups: int, free: int | None, place: str) -> str:
    """Why it is not started: a sentence with a remedy; empty where there is room, or nobody knows.

    ``without_backups``: what would be needed without those that are kept for good.
    """
    if free is None or need <= free:
        return ""
    backups = (
        f"--backup-epochs 0 keeps none for good and takes up to {size(without_backups)}, "
        if without_backups < need
        else ""
    )
    return (
        f"the checkpoints will take up to {size(need)}, and {clean(place)} has {size(free)} free; "
        f"{backups}--experiments-dir names another disk, or delete something"
    )


def _epochs(settings: Settings, images: int | None) -> int:
    """Those that can end, the one that is broken off by a limit of steps included."""
    if settings.max_steps is None:
        return settings.epochs
    steps = len(batch_sizes(images, settings.batch_size)) if images else 1
    return min(settings.epochs, -(-settings.max_steps // steps))


def _learnt(layer: Layer) -> int:
    """Tensors of weights in a layer."""
    if layer.bias:
        return 2
    # Each normalisation follows a convolution, and has a scale and a shift.
    return 3 * layer.norms


def _tensors(layer: Layer) -> int:
    """The same with the buffers: mean, variance and counter of each normalisation."""
    return _learnt(layer) + 3 * layer.norms
