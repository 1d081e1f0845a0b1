"""What cannot be combined with mixing images in pairs, and with images that grow. Pure."""

from __future__ import annotations

from engine.plan.config import Settings
from engine.plan.pairs import mixes, units
from engine.plan.resizing import grows
from engine.plan.strategies import Strategy


def mixing(chosen: Strategy, settings: Settings) -> str:
    """Batches that are too small to be mixed, or to be cut at whole pairs."""
    if not mixes(settings):
        return ""
    batch, parts = settings.batch_size, settings.accumulate
    if batch == 1:
        return (
            "cannot mix images (--mixup, --cutmix) in batches of one image: they are mixed in "
            "pairs; give --batch-size 2 or more, or leave it out"
        )
    pairs = units(batch, 2)
    ranks = settings.nproc or 1 if chosen.parallelism in ("ddp", "fsdp") else 1
    if ranks * parts > pairs:
        pieces = [f"{ranks} devices (--nproc)"] if ranks > 1 else []
        pieces += [f"{parts} parts (--accumulate)"] if parts > 1 else []
        return (
            f"cannot share the {pairs} pairs, in which images are mixed (--mixup, --cutmix), of a "
            f"batch of {batch} between {' of '.join(pieces)}; give fewer, or a larger --batch-size"
        )
    return ""


def growing(chosen: Strategy, settings: Settings) -> str:
    """Images that cannot grow, and strategies in which they cannot."""
    first, full = settings.resize_from, settings.image_size
    if first is not None and first > full:
        return (
            f"cannot grow images from {first} px (--resize-from) to {full} px (--image-size); give "
            f"less than {full}, or leave --resize-from out"
        )
    if not grows(settings):
        return ""
    if settings.epochs == 1:
        return (
            f"cannot grow images from {first} px (--resize-from) to {full} px in one epoch; give "
            "--epochs 2 or more, or leave --resize-from out"
        )
    if chosen.parallelism == "pipeline":
        return (
            "cannot train with images that grow (--resize-from): what its stages send to each "
            "other is laid out for images of one size; leave it out"
        )
    if settings.compile:
        return (
            "cannot be compiled together with images that grow (--resize-from): every size would "
            "be compiled for itself, and not all of them are; leave one of the two out"
        )
    return ""
