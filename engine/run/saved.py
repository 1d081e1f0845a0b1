"""Which checkpoints of a run its next attempt may go on from.

Those in its directory ``checkpoints`` are of the attempts that count. An attempt that begins anew
undoes what came before: what its predecessors saved is put aside, where nothing goes on from it,
and goes when the new one has saved something itself.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from engine.journal import checkpoints, layout


@dataclass(frozen=True, slots=True)
class Found:
    """A checkpoint to go on from."""

    path: str
    """Relative to the directory of the run."""
    step: int
    """Steps made when it was saved."""
    saved: float
    """When, in seconds since the Unix epoch."""
    damaged: str = ""
    """A newer one that cannot be used."""


def to_go_on_from(run: Path) -> Found | None:
    """The newest whole checkpoint in the directory of a run; ``None`` without one."""
    newest = checkpoints.newest(run)
    if newest is None:
        return None
    path, header = newest
    last = path.with_name(layout.LAST)
    damaged = last.name if path != last and last.exists() else ""
    return Found(f"{layout.CHECKPOINTS}/{path.name}", header.step, header.saved, damaged)


def put_aside(run: Path, attempt: int) -> None:
    """Keeps what was saved up to ``attempt`` in its directory; raises ``OSError``."""
    there = run / layout.CHECKPOINTS
    if attempt < 1 or not there.is_dir():
        return
    aside = run / f"attempt-{attempt}" / layout.CHECKPOINTS
    if aside.exists():
        shutil.rmtree(aside)
    there.rename(aside)


def drop_aside(run: Path) -> None:
    """Removes what was put aside: the attempt at hand has something to go on from itself."""
    for _, attempt in layout.attempts(run):
        shutil.rmtree(attempt / layout.CHECKPOINTS, ignore_errors=True)
