"""The lock that says a supervisor lives: held by one, queried by all, taken by no reader.

Readers ask with ``F_OFD_GETLK``, which changes nothing; two readers that *try to take* a lock see
each other and call the dead alive. Open-file-description locks end with the process, however it
ends. Where the system has none, ``flock`` stands in and ``holder`` answers ``None``: unknown.
"""

from __future__ import annotations

import fcntl
import os
import struct
from pathlib import Path

from engine.errors import ExperimentError

_F_OFD_GETLK = 36
_F_OFD_SETLK = 37
_FLOCK = "hhqqi4x"
"""struct flock on 64-bit Linux: type, whence, start, length, pid."""

OFD_LOCKS = os.uname().sysname == "Linux" and struct.calcsize("P") == 8


class Lock:
    """Held for as long as this object's file is open; inherited by no child."""

    def __init__(self, path: Path) -> None:
        """Takes the lock; raises ``ExperimentError`` where somebody else holds it."""
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            if OFD_LOCKS:
                fcntl.fcntl(self._fd, _F_OFD_SETLK, _request(fcntl.F_WRLCK))
            else:
                fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._fd)
            raise ExperimentError(
                f"{path.parent.name} is already being run by another process; "
                "'resnet-tui attach' shows it"
            ) from error

    def release(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def is_held(path: Path) -> bool | None:
    """Whether somebody holds the lock; ``None`` where this system cannot tell without taking it."""
    if not OFD_LOCKS:
        return None
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    except OSError:
        return None
    try:
        # A read lock would meet only a writer, which is what a supervisor is.
        answer = fcntl.fcntl(fd, _F_OFD_GETLK, _request(fcntl.F_RDLCK))
        return bool(struct.unpack(_FLOCK, answer)[0] != fcntl.F_UNLCK)
    except OSError:
        return None
    finally:
        os.close(fd)


def _request(kind: int) -> bytes:
    return struct.pack(_FLOCK, kind, os.SEEK_SET, 0, 0, 0)
