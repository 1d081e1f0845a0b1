"""Journal files: append whole lines, tail them in bounded chunks."""

from __future__ import annotations

import os
import socket
import uuid
from pathlib import Path
from typing import Any

import msgspec

from engine.errors import JournalError
from engine.journal.events import AnyEvent, Event, decode, encode

CHUNK = 256 * 1024
"""How much one read takes at most, in bytes: a reader that shares a process with a screen must
give way often."""


def boot_id() -> str:
    """What tells one boot of this machine from the next; empty where the system has none."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def writer_fields() -> dict[str, Any]:
    """The fields with which a journal's first event introduces its writer."""
    return {
        "journal": uuid.uuid4().hex,
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "boot": boot_id(),
    }


class Appender:
    """Appends events to one journal file; a reader sees each line at once, and whole.

    The file has one writer. A line that an earlier writer left unfinished is closed first, so
    that it spoils no line of ours.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
            self._fd = os.open(path, flags, 0o644)
            size = os.fstat(self._fd).st_size
            if size and os.pread(self._fd, 1, size - 1) != b"\n":
                self._write(b"\n")
        except OSError as error:
            raise JournalError(f"cannot open the journal {path}: {error.strerror}") from error

    def append(self, event: Event) -> None:
        """Writes one event; raises ``JournalError`` where the disk is full or gone."""
        self._write(encode(event))

    def sync(self) -> None:
        """Returns when everything written so far is on the disk."""
        os.fsync(self._fd)

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _write(self, data: bytes) -> None:
        # One write() per line: O_APPEND makes it whole for readers. A short write only happens on
        # a full disk; the rest is then tried once, and the error told.
        try:
            written = os.write(self._fd, data)
            while written < len(data):
                written += os.write(self._fd, data[written:])
        except OSError as error:
            raise JournalError(f"cannot write to {self.path}: {error.strerror}") from error


class Tail:
    """Reads the complete lines of a growing file, from the start, a bounded chunk at a time.

    It notices a file that was replaced (inode) or cut: then it starts again at the beginning and
    ``generation`` grows, so that a reader can drop what it had.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.offset = 0
        """Where the next unread complete line begins."""
        self.size = 0
        """The file's size when last looked at."""
        self.generation = 0
        self._identity: tuple[int, int] | None = None

    def read(self, limit: int = CHUNK) -> bytes:
        """The next complete lines, at most about ``limit`` bytes; empty when there are none yet.

        A single line longer than ``limit`` is returned whole.
        """
        try:
            with self.path.open("rb", buffering=0) as file:
                status = os.fstat(file.fileno())
                identity = (status.st_dev, status.st_ino)
                if self._identity not in (None, identity) or status.st_size < self.offset:
                    self.offset = 0
                    self.generation += 1
                self._identity = identity
                self.size = status.st_size
                return self._complete_lines(file.fileno(), limit)
        except FileNotFoundError:
            return b""

    def _complete_lines(self, fd: int, limit: int) -> bytes:
        while self.offset < self.size:
            data = os.pread(fd, limit, self.offset)
            end = data.rfind(b"\n") + 1
            if end:
                self.offset += end
                return data[:end]
            if self.offset + len(data) >= self.size:
                return b""
            limit *= 4
        return b""


def parse(data: bytes) -> tuple[list[AnyEvent], int]:
    """The events in complete lines, and how many lines were not events (damage, unknown kinds)."""
    events: list[AnyEvent] = []
    skipped = 0
    for raw in data.split(b"\n"):
        line = raw.strip(b"\0 \r\t")
        if not line:
            continue
        try:
            events.append(decode(line))
        except msgspec.DecodeError:
            skipped += 1
    return events, skipped
