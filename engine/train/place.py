"""Where in a step the training thread stands: what a rank tells while it finishes no step."""

from __future__ import annotations

from engine.journal.events import Heartbeat

_AFTER = {
    "peers": "forward pass",
    "copy": "forward pass",
    "forward": "backward pass",
    "backward": "exchanging gradients",
    "exchange": "updating",
    "pipeline": "updating",
    "update": "finishing the step",
}
"""What a rank does once a part of a step is marked as ended."""


class Place:
    """Written by the training thread, read by the recorder's: a tuple changes hands whole."""

    def __init__(self) -> None:
        self._now = (0, 0, "starting")

    def begin(self, step: int) -> None:
        self._now = (step, 0, "waiting for data")

    def at(self, doing: str) -> None:
        """One place further."""
        step, place, _ = self._now
        self._now = (step, place + 1, doing)

    def after(self, part: str) -> None:
        self.at(_AFTER[part])

    def heartbeat(self) -> Heartbeat:
        step, place, doing = self._now
        return Heartbeat(step=step, place=place, doing=doing)
