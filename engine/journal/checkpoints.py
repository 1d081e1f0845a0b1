"""What a checkpoint says of itself, read without torch.

A checkpoint is what ``torch.save`` writes, a zip archive, with one more member: a header in JSON.
Reading it takes no more than the archive's directory, which stands at its end: a file that was cut
short has none.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import msgspec

from engine.errors import CheckpointError
from engine.journal import layout, undone
from engine.journal.event import Count, Moment

MEMBER = "resnet-tui.json"
SCHEMA = 1
_LARGEST = 1 << 20
"""Bytes of a header beyond which it is none."""

_BROKEN = (OSError, zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError, KeyError)
"""What ``zipfile`` raises for files that are not whole."""


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """Where a training stood."""

    schema: int = SCHEMA
    saved: Moment
    model: str
    classes: Count
    strategy: str
    world_size: Count
    epoch: Count
    """The epoch that training is in: so many are finished."""
    step: Count
    """Optimiser steps made: the number of the next one."""
    step_in_epoch: Count
    """Of the epoch at hand, so many steps are made."""
    best_acc: float | None = None
    """The best validation accuracy so far, 0..1."""
    attempt: Count | None = None
    """The attempt of its run that saved it; earlier versions did not say."""


def read_header(path: Path) -> Header:
    """The header of a checkpoint of ours; raises ``CheckpointError`` for any other file."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = [each for each in archive.infolist() if each.filename.endswith(f"/{MEMBER}")]
            if len(members) != 1 or members[0].file_size > _LARGEST:
                raise CheckpointError(
                    f"{path} is no checkpoint that training can go on from: it does not say where "
                    "it stood; give its weights with --weights instead"
                )
            return msgspec.json.decode(archive.read(members[0]), type=Header)
    except FileNotFoundError as error:
        raise CheckpointError(f"there is no checkpoint {path}") from error
    except (msgspec.MsgspecError, *_BROKEN) as error:
        raise CheckpointError(f"{path} is damaged: it is cut short or was changed") from error


def check_whole(path: Path) -> None:
    """Reads all of it against its check sums; raises ``CheckpointError`` where they differ."""
    try:
        with zipfile.ZipFile(path) as archive:
            bad = archive.testzip()
    except _BROKEN as error:
        raise CheckpointError(f"{path} is damaged: it is cut short or was changed") from error
    if bad is not None:
        raise CheckpointError(f"{path} is damaged: its check sums do not fit")


def newest(run: Path) -> tuple[Path, Header] | None:
    """``last.pt`` where it is whole, else of the others that are the one with most steps.

    Those that know steps which were undone (see ``undone``) come behind all others: where a run
    had to go on from an older one, what it could not read then may be whole again. ``None`` without
    any.
    """
    cuts = undone.cuts(run)
    found: list[tuple[Path, Header]] = []
    for path in sorted((run / layout.CHECKPOINTS).glob("*.pt")):
        try:
            found.append((path, read_header(path)))
        except CheckpointError:
            continue
    found.sort(key=lambda each: _rank(each[0], each[1], cuts))
    for path, header in reversed(found):
        try:
            check_whole(path)
        except CheckpointError:
            continue
        return path, header
    return None


def _rank(path: Path, header: Header, cuts: Mapping[int, float]) -> tuple[bool, bool, int, float]:
    """The higher, the rather a run goes on from it."""
    counts = undone.counts(cuts, header.attempt, header.step)
    return counts, path.name == layout.LAST, header.step, header.saved
