"""The columns of steps beyond the common ones: where a step's time went, and what its loader did.

A step lasts from the end of the step before it to its own end, so that the steps of an epoch add up
to its wall time. Two ledgers split it, and each adds up to it; they overlap and are never summed:

- **host**, by the clock of the training thread: ``wait`` (in ``next(loader)``), ``agree`` (until
  all ranks have their images), ``launch`` (handing work to the device; computing where the host is
  the device), ``other`` (all the rest);
- **device**, by its own clock: ``starved`` (idle, no images), ``peers`` (idle, other ranks have no
  images), ``copy``, ``forward``, ``backward``, ``exchange`` (waiting for the gradients of other
  ranks), ``pipeline`` (forward and backward of a pipeline, whose micro-batches mix the two),
  ``update``; what is left is idle.

On a CPU the two are one: ``starved``, ``peers``, ``launch`` and ``lag`` are not written there,
being ``wait``, ``agree``, the sum of the device's parts, and 0. A column that no step of an event
has is left out of it.
"""

from __future__ import annotations

HOST_PARTS: tuple[str, ...] = ("wait", "agree", "launch", "other")
DEVICE_PARTS: tuple[str, ...] = (
    "starved",
    "peers",
    "copy",
    "forward",
    "backward",
    "exchange",
    "pipeline",
    "update",
)
"""Each in the column ``<part>_seconds``."""

LAG = "lag_seconds"
"""How long after the host had launched a step the device finished it: near 0 where the device
waits for launches."""

DECODE = "decode_seconds"
"""Wall time per image in the process that read this batch's images: its mean."""

QUEUED = "queued"
"""Batches that workers had ready when this one was asked for; not written without workers."""


def column(part: str) -> str:
    """The column of a part of either ledger."""
    return f"{part}_seconds"
