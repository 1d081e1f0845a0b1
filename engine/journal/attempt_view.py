"""One attempt of a run, in short: what its steps are worth, and how they were computed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptView:
    """One attempt of a run: which steps it stands for, and how it computed them."""

    number: int
    from_step: int
    until: int | None = None
    """The step from which on a later attempt takes its place; ``None`` of the latest."""
    strategy: str = ""
    """Empty where it was not told."""
    way: str = ""
    """Equal in attempts that compute alike; empty where it was not told."""
    devices: int = 0
    """That it trained on; 0 where it did not come so far."""
    seconds: float | None = None
    """From launch to end; ``None`` where one of the two is not known."""
