"""Journal files: append whole lines, tail them in bounded chunks."""

from __future__ import annotations

import os
import socket
import uuid
from pathlib import Path
from typing import Any

from engine.errors import JournalError
from engine.journal.events import AnyEvent, Event, decode, decode_lines, encode

CHUNK = 256 * 1024
"""How much one read takes at most, in bytes: a reader that shares a process with a screen must
give way often."""

LONGEST_LINE = 16 * 2**20
"""No event is longer; so many bytes without an end of line are damage (a hole of NULs)."""

_HEAD = 256
"""Bytes of the first line that tell one journal from another: its id is among them."""


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
        self._torn = False
        """Whether the file ends in a part of a line."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
            self._fd = os.open(path, flags, 0o644)
            size = os.fstat(self._fd).st_size
            self._torn = size > 0 and os.pread(self._fd, 1, size - 1) != b"\n"
        except OSError as error:
            raise JournalError(f"cannot open the journal {path}: {error.strerror}") from error

    def append(self, event: Event) -> None:
        """Writes one event; raises ``JournalError`` where the disk is full or gone."""
        self._write(encode(event))

    def sync(self) -> None:
        """Returns when everything written so far is on the disk."""
        try:
            os.fsync(self._fd)
        except OSError as error:
            raise JournalError(f"cannot save {self.path}: {error.strerror}") from error

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _write(self, data: bytes) -> None:
        # One write() per line: O_APPEND makes it whole for readers. A short write only happens on
        # a full disk; the rest is then tried once, and the error told. What was left unfinished is
        # closed by the next line that gets through.
        if self._torn:
            data = b"\n" + data
        try:
            written = os.write(self._fd, data)
            while written < len(data):
                self._torn = True
                written += os.write(self._fd, data[written:])
        except OSError as error:
            raise JournalError(f"cannot write to {self.path}: {error.strerror}") from error
        self._torn = False


class Tail:
    """Reads the complete lines of a growing file, from the start, a bounded chunk at a time.

    It notices a file that was replaced (inode), cut, or cut and grown again (another first line):
    then it starts again at the beginning and ``generation`` grows, so that a reader can drop what
    it had. A file that is gone, or cannot be read for now, has nothing new.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.offset = 0
        """Where the next unread complete line begins."""
        self.size = _size(path)
        """The file's size when last looked at; known before the first read."""
        self.drained = False
        """Whether the last read found no complete line after ``offset``."""
        self.skipped = 0
        """Stretches without an end of line that were longer than any event."""
        self.generation = 0
        self._identity: tuple[int, int] | None = None
        self._head = b""
        self._unfinished = -1
        """The size at which no complete line was found after ``offset``."""
        self._in_damage = False

    def read(self, limit: int = CHUNK) -> bytes:
        """The next complete lines, at most about ``limit`` bytes; empty when there are none yet.

        A single line longer than ``limit`` is returned whole.
        """
        try:
            fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            self.drained = True
            return b""
        try:
            self._look(fd)
            data = self._complete_lines(fd, limit)
        except OSError:
            data = b""
        finally:
            os.close(fd)
        self.drained = not data
        return data

    def _look(self, fd: int) -> None:
        """Takes note of the file's size, and starts again where it is another file than before."""
        status = os.fstat(fd)
        identity = (status.st_dev, status.st_ino)
        another = self._identity not in (None, identity) or status.st_size < self.offset
        if self._head and not another and status.st_size != self.size:
            another = os.pread(fd, len(self._head), 0) != self._head
        if another:
            self.offset = 0
            self.generation += 1
            self._head = b""
            self._unfinished = -1
            self._in_damage = False
        self._identity = identity
        self.size = status.st_size

    def _complete_lines(self, fd: int, limit: int) -> bytes:
        if self.size == self._unfinished:
            return b""
        while self.offset < self.size:
            data = os.pread(fd, limit, self.offset)
            end = data.rfind(b"\n") + 1
            if end:
                return self._take(data, end)
            if self.offset + len(data) >= self.size and len(data) < LONGEST_LINE:
                self._unfinished = self.size
                return b""
            if len(data) >= LONGEST_LINE:
                self.offset += len(data)
                self.skipped += not self._in_damage
                self._in_damage = True
            limit = min(limit * 4, LONGEST_LINE)
        return b""

    def _take(self, data: bytes, end: int) -> bytes:
        if self.offset == 0:
            self._head = data[: min(_HEAD, data.index(b"\n") + 1)]
        start = 0
        if self._in_damage:
            # The rest of a stretch that was given up is no line.
            start = data.index(b"\n") + 1
            self._in_damage = False
        self.offset += end
        return data[start:end] or b"\n"


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


_NO_EVENT = (ValueError, RecursionError)
"""What decoding raises: msgspec's own errors and ``UnicodeDecodeError`` are ``ValueError``, and a
line of a hundred thousand brackets nests too deeply."""


def parse(data: bytes) -> tuple[list[AnyEvent], int]:
    """The events in complete lines, and how many lines were not events (damage, unknown kinds)."""
    try:
        return decode_lines(data), 0
    except _NO_EVENT:
        return _parse_each(data)


def _parse_each(data: bytes) -> tuple[list[AnyEvent], int]:
    events: list[AnyEvent] = []
    skipped = 0
    for raw in data.split(b"\n"):
        line = raw.strip(b"\0 \r\t")
        # What the disk lost is a hole of NULs; the event after it is whole.
        skipped += b"\0" in raw
        if not line:
            continue
        try:
            events.append(decode(line))
        except _NO_EVENT:
            skipped += b"\0" not in raw
    return events, skipped
