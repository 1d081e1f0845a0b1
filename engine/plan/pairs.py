"""A global batch in pieces that hold whole pairs, where images are mixed in pairs. Pure.

MixUp and CutMix mix the images 2i and 2i + 1 of a global batch's order. Whoever computes one of
them needs the other, so a batch is shared out, and computed in parts, at whole pairs: what is
trained on is the same whatever the batch is cut into.
"""

from __future__ import annotations

from itertools import pairwise

from engine.plan.config import Settings


def mixes(settings: Settings) -> bool:
    """Whether images are mixed in pairs."""
    return settings.mixup > 0 or settings.cutmix > 0


def unit(settings: Settings) -> int:
    """Images that are not to be parted."""
    return 2 if mixes(settings) else 1


def units(images: int, each: int) -> int:
    """Of ``each`` images, a smaller last one included."""
    return -(-images // each)


def bounds(count: int, pieces: int) -> list[int]:
    """Where ``pieces`` pieces of ``count`` units begin, and where the last one ends: their sizes
    differ by one at most, the larger ones come first, and some may be empty."""
    size, more = divmod(count, pieces)
    return [size * index + min(index, more) for index in range(pieces + 1)]


def shares(images: int, pieces: int, each: int = 1) -> list[int]:
    """How many of ``images`` each of ``pieces`` pieces has, cut at units of ``each`` images."""
    ends = [min(images, each * end) for end in bounds(units(images, each), pieces)]
    return [end - begin for begin, end in pairwise(ends)]


def at_once(parallelism: str, settings: Settings) -> tuple[int, int]:
    """The fewest and the most images of a whole batch that a device computes at once.

    Processes take their shares and parts at whole pairs; what chunks and micro-batches are cut
    from is mixed already.
    """
    nproc, each = settings.nproc or 1, unit(settings)
    whole = {"ddp": nproc, "fsdp": nproc}.get(parallelism, 1), settings.accumulate
    micro_batches = settings.micro_batches or 1
    single = {"dp": nproc, "gpipe": micro_batches, "pipeline": micro_batches}.get(parallelism, 1)
    fewest = most = settings.batch_size
    for pieces in whole:
        fewest, most = min(shares(fewest, pieces, each)), max(shares(most, pieces, each))
    return fewest // single, -(-most // single)
