"""Holding out validation images where a folder has none of its own."""

from __future__ import annotations

import os
from collections.abc import Iterable
from hashlib import blake2b


def hold_out(
    names: Iterable[str], val_fraction: float, seed: int
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """One class's ``names`` as (train, val), both sorted.

    About ``val_fraction`` of them are held out; at least one image stays for training and, where
    there are two or more, at least one is held out. Which ones depends on the names and the seed
    alone: each name draws a number by hashing, and the smallest are held out. So an image that is
    added or removed moves hardly any other from one side to the other.
    """
    drawn = sorted((_draw(name, seed), name) for name in names)
    count = len(drawn)
    held = min(max(round(count * val_fraction), 1), count - 1) if count >= 2 else 0
    val = sorted(name for _, name in drawn[:held])
    train = sorted(name for _, name in drawn[held:])
    return tuple(train), tuple(val)


def _draw(name: str, seed: int) -> bytes:
    return blake2b(os.fsencode(name), digest_size=16, key=str(seed).encode("ascii")).digest()
