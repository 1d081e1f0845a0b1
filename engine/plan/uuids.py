"""Which GPU is meant, however its UUID is spelled. Pure."""

from __future__ import annotations

from collections.abc import Collection

_PREFIXES = ("mig-", "gpu-")


def bare(uuid: str) -> str:
    """Letters and digits alone, in small ones: NVIDIA's driver writes ``GPU-`` or ``MIG-`` before
    them (older ones both), and torch nothing."""
    small = uuid.lower()
    for prefix in _PREFIXES:
        small = small.removeprefix(prefix)
    return "".join(filter(str.isalnum, small))


def is_among(uuid: str, uuids: Collection[str]) -> bool:
    """Whether it is one of them; one that is not known is none."""
    name = bare(uuid)
    return bool(name) and any(bare(each) == name for each in uuids)
