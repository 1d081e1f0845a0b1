"""Which batch would fit into the memory there is, in words. Pure."""

from __future__ import annotations

from engine.plan.footprint import largest_batch
from engine.plan.runs import RunPlan

BESIDE_TENSORS = 540 << 20
"""Bytes by which a rank that trains on a CPU grows beside its tensors, at most: torch's libraries,
decoded images and what malloc keeps took 40 to 540 MiB more than was estimated, in ten runs of
ResNet-18 and -50 whose tensors took 0.2 to 2 GiB."""

_EIGHTS = 16
"""From here on an estimate is rounded down to a multiple of 8: it is not known better."""


def size(value: int) -> str:
    """Bytes as ``1.5 GiB``, or ``512 MiB`` where that is less than one."""
    if value < 1 << 20:
        return f"{value:,} bytes"
    if value < 1 << 30:
        return f"{value / (1 << 20):.0f} MiB"
    return f"{value / (1 << 30):,.1f} GiB"


def fitting_batch(plan: RunPlan, classes: int | None, room: int | None) -> int | None:
    """About the largest global batch that fits into ``room`` bytes of each device; 0 where not even
    one image does, ``None`` where that cannot be told.

    For a batch that did not fit: the answer is smaller, whatever the estimate says.
    """
    if classes is None or room is None:
        return None
    found = largest_batch(plan, classes, room)
    if found is None:
        # Unknown, or too little: with all the room there is, only the former is left.
        return None if largest_batch(plan, classes, 1 << 62) is None else 0
    if found >= plan.settings.batch_size:
        found = plan.settings.batch_size // 2
    return found // 8 * 8 if found >= _EIGHTS else found


def smaller(plan: RunPlan, classes: int | None, room: int | None) -> str:
    """What to do about a batch that did not fit into ``room`` bytes of each device."""
    batch = plan.settings.batch_size
    fitting = fitting_batch(plan, classes, room)
    if fitting:
        return f"a batch of about {fitting} would fit (an estimate): lower --batch-size"
    if fitting == 0 or batch == 1:
        return (
            "not even one image would fit (an estimate): lower --image-size, or choose a smaller "
            "--model"
        )
    return f"lower --batch-size, to {batch // 2} or less, or --image-size"
