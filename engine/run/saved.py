"""Which checkpoints of a run its next attempt may go on from.

Those in its directory ``checkpoints`` are of the attempts that count. An attempt that begins anew
undoes what came before: what its predecessors saved is put aside, where nothing goes on from it,
and goes when the new one has saved something itself.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from engine.errors import CheckpointError
from engine.journal import checkpoints, layout
from engine.journal.undone import counts, cuts, missing


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
    """``last.pt``, where it cannot be used."""
    undone: str = ""
    """``last.pt``, where it is whole and knows steps that were undone since."""
    missing: tuple[int, int] | None = None
    """The first and the last step that no attempt which still counts has told of, where nothing
    but a checkpoint of undone steps is left to go on from."""


def to_go_on_from(run: Path) -> Found | None:
    """The newest whole checkpoint in the directory of a run; ``None`` without one."""
    newest = checkpoints.newest(run)
    if newest is None:
        return None
    path, header = newest
    last = path.with_name(layout.LAST)
    passed_over = last.name if path != last and last.exists() else ""
    undone = bool(passed_over) and not _counts(run, last)
    return Found(
        f"{layout.CHECKPOINTS}/{path.name}",
        header.step,
        header.saved,
        damaged="" if undone else passed_over,
        undone=passed_over if undone else "",
        missing=None if _counts(run, path) else missing(run, header.step),
    )


def explained(found: Found) -> str:
    """Why it is not ``last.pt`` that a run goes on from, and what its curves will lack: the rest of
    a sentence; empty where there is nothing to say."""
    if found.damaged:
        return f"its {found.damaged} is damaged"
    if found.undone:
        return f"the steps of its {found.undone} were undone by a later attempt"
    if found.missing is None:
        return ""
    first, last = found.missing
    steps = f"step {first:,} is" if first == last else f"steps {first:,} to {last:,} are"
    return f"no other checkpoint is whole; {steps} missing in its curves: they were undone"


def _counts(run: Path, checkpoint: Path) -> bool:
    try:
        header = checkpoints.read_header(checkpoint)
    except CheckpointError:
        return True  # Of one that cannot be read nothing is known.
    return counts(cuts(run), header.attempt, header.step)


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
