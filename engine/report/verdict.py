"""What a diagnosis says: one finding, with its evidence and one thing to change. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "measuring",
    "fine",
    "data",
    "launches",
    "exchange",
    "bubble",
    "memory",
    "straggler",
    "throttled",
    "shared",
    "shm",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """``title`` is two or three words, ``finding`` a clause with its numbers, ``change`` what to do
    about it (empty where nothing is to be done), ``evidence`` labels and measured values."""

    kind: Kind
    title: str
    finding: str
    change: str = ""
    evidence: tuple[tuple[str, str], ...] = ()
