"""Checkpoints: written beside their place, synced, and renamed into it."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import time
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import torch

from engine.errors import JournalError
from engine.journal import layout
from engine.journal.checkpoints import MEMBER, Header, newest
from engine.journal.events import CheckpointSaved, Notice
from engine.journal.layout import BEST, LAST
from engine.plan.text import clean
from engine.train.recorder import Recorder

_JOURNAL_PATIENCE = 30.0
"""Seconds that a checkpoint waits for the journal to reach the disk."""


class Checkpoints:
    """The ``checkpoints`` directory of a run.

    A checkpoint never knows more than the journal: the journal is on the disk up to the step
    before the file gets its name. Where the disk is full the file that is there stays, a warning
    says so, and training goes on.
    """

    def __init__(self, run: Path, recorder: Recorder) -> None:
        self._directory = run / layout.CHECKPOINTS
        self._recorder = recorder

    def save(
        self,
        state: dict[str, Any],
        header: Header,
        *,
        best: bool = False,
        backup: int | None = None,
    ) -> str:
        """Writes ``last.pt``; gives it the name ``best.pt`` as well where it is the ``best``, and
        that of the epoch that it is the ``backup`` of, counted from 1.

        All steps up to the header's must have been harvested. Returns why there is no new one, and
        what there is, as the rest of a sentence; empty where it was saved.
        """
        began = time.monotonic()
        last = self._directory / LAST
        # Always the same, so that what a killed save leaves goes with the next.
        temporary = self._directory / f".{LAST}.unfinished"
        kept = f"epoch-{backup:03d}.pt" if backup is not None else None
        names = [LAST, *([BEST] if best else []), *([kept] if kept is not None else [])]
        named: list[str] = []
        size, problem = 0, ""
        try:
            self._directory.mkdir(exist_ok=True)
            # Never written over: it may be another name of a checkpoint that is to be kept.
            temporary.unlink(missing_ok=True)
            write(temporary, state, header)
            self._recorder.sync(_JOURNAL_PATIENCE)
            size = temporary.stat().st_size
            for name in names:
                if named:
                    self._link(last, temporary)
                temporary.replace(self._directory / name)
                named.append(name)
            _sync_directory(self._directory)
        except (OSError, RuntimeError, JournalError) as error:
            # torch.save turns a full disk into a RuntimeError of its own.
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            text = self._explain(error, names[len(named) :], named)
            problem = "" if named else f"{_reason(error, self._directory)}; {self._newest()}"
            self._recorder.post(Notice(level="warning", code="checkpoint", text=text))
        seconds = time.monotonic() - began
        for name in named:
            self._recorder.post(
                CheckpointSaved(
                    path=f"{layout.CHECKPOINTS}/{name}",
                    kind="backup" if name == kept else name.removesuffix(".pt"),
                    epoch=header.epoch,
                    step=header.step,
                    size=size,
                    seconds=seconds,
                )
            )
        return problem

    def sync_journal(self) -> None:
        """For a rank that does not save: its journal is on the disk before another saves."""
        try:
            self._recorder.sync(_JOURNAL_PATIENCE)
        except JournalError as error:
            text = f"{error}; the checkpoint may know more than this journal"
            self._recorder.post(Notice(level="warning", code="checkpoint", text=text))

    def _newest(self) -> str:
        """What the next attempt would go on from."""
        found = newest(self._directory.parent)
        if found is None:
            return "there is no checkpoint of it"
        return f"the newest checkpoint is of step {found[1].step}"

    def _link(self, last: Path, temporary: Path) -> None:
        """A second name for the same bytes costs nothing; the next ``last.pt`` is a new file."""
        try:
            os.link(last, temporary)
        except OSError:
            shutil.copyfile(last, temporary)
            with temporary.open("rb") as file:
                os.fsync(file.fileno())

    def _explain(self, error: BaseException, missing: Sequence[str], named: Sequence[str]) -> str:
        """``missing``: the names that the checkpoint did not get, ``named``: those that it got."""
        reason, directory = _reason(error, self._directory), clean(str(self._directory))
        if not missing:
            return f"whether {named[0]} in {directory} would survive a power cut is open: {reason}"
        if named:
            return (
                f"{' and '.join(missing)} could not be saved in {directory}: {reason}; "
                f"{named[0]} was, and what else is there is older"
            )
        there = (self._directory / LAST).exists()
        kept = "the one before it is kept" if there else "training goes on without one"
        return f"no checkpoint could be saved in {directory}: {reason}; {kept}"


def write(path: Path, state: dict[str, Any], header: Header) -> None:
    """What ``torch.save`` writes, with the header as one more member of the archive; synced."""
    with path.open("w+b") as file:
        torch.save(state, file)
        with zipfile.ZipFile(file, "a") as archive:
            folder = archive.namelist()[0].partition("/")[0]
            archive.writestr(f"{folder}/{MEMBER}", msgspec.json.encode(header))
        file.flush()
        os.fsync(file.fileno())


def _sync_directory(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _reason(error: BaseException, directory: Path) -> str:
    # Under torch's own error lies the one of the disk that it met.
    while not isinstance(error, OSError) and error.__context__ is not None:
        error = error.__context__
    reason = (isinstance(error, OSError) and error.strerror) or str(error).partition("\n")[0]
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        with contextlib.suppress(OSError):
            free = shutil.disk_usage(directory.parent).free
            reason += f" ({free / 2**20:.0f} MiB are free without it)"
    return reason
