"""A folder for the temporary files of an attempt's processes, which goes when they are gone.

A process that is killed leaves in the system's temporary folder what it would have removed at its
end: the sockets of loader workers (``pymp-*``), torchrun's files. So they get a folder of their own
in there. Its maker holds a lock on it, by which the next one sees what a killed supervisor left; it
also keeps ``systemd-tmpfiles`` from clearing away the folder of a long run.
"""

from __future__ import annotations

import fcntl
import getpass
import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from engine.journal.files import boot_id

PREFIX = "resnet-tui-"
MARK = ".resnet-tui-attempt"
"""A file in each of them that names the machine. It is made after the lock was taken: a folder that
has it and whose lock is free belongs to nobody, on the same machine; on another one a network
disk's locks often tell nothing."""

_NAME = re.compile(PREFIX + "[a-z0-9_]{8}")
"""As ``tempfile`` makes them up."""
_LONGEST = 107 if os.uname().sysname == "Linux" else 103
"""Bytes of the path of a socket, without the one that ends it."""
_SOCKET = "/torch-shm-dir-123456/manager.sock"
"""Of torch's, the longest that is made; ``multiprocessing`` makes pymp-12345678/listener-12345678.
"""


class Temporary:
    """One folder, made with this object. Where none can be made, processes use the system's."""

    def __init__(self) -> None:
        self.folder: Path | None = None
        self._lock = -1
        try:
            parent = Path(tempfile.gettempdir())
            _remove_left(parent)
            self._make(parent)
        except OSError:
            self.remove()  # A full disk, or nowhere to write: the ranks will say it better.

    def environment(self, inherited: Mapping[str, str]) -> dict[str, str]:
        """What processes need in theirs to use it, where this one has ``inherited``."""
        if self.folder is None:
            return {}
        environment = {"TMPDIR": str(self.folder)}
        if "TORCHINDUCTOR_CACHE_DIR" not in inherited:
            # What torch.compile has compiled is for the next attempts as well.
            environment["TORCHINDUCTOR_CACHE_DIR"] = str(compiled_code(self.folder.parent))
        return environment

    def remove(self) -> None:
        """With all that is in it, as far as that can be done; more than once is nothing."""
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder = None
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def _make(self, parent: Path) -> None:
        if len(os.fsencode(parent)) + len(f"/{PREFIX}12345678{_SOCKET}") > _LONGEST:
            return  # One level more, and no socket could be made in there.
        self.folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
        try:
            self._lock = _locked(self.folder)
            (self.folder / MARK).write_text(_machine(), encoding="utf-8")
        except OSError:
            return  # A file system without locks: without a mark nobody else removes it.


def _remove_left(parent: Path) -> None:
    """Removes the folders in ``parent`` whose makers were killed."""
    try:
        found = [Path(each) for each in os.scandir(parent) if _NAME.fullmatch(each.name)]
    except OSError:
        return
    for folder in filter(_is_ours, found):
        try:
            lock = _locked(folder)
        except OSError:
            continue  # In use; or it is gone already.
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def compiled_code(parent: Path) -> Path:
    """Where torch keeps what it has compiled, where ``parent`` is the temporary folder."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = f"uid_{os.getuid()}"  # A container whose user has no name.
    return parent / ("torchinductor_" + re.sub(r'[\\/:*?"<>|]', "_", user))


def _locked(folder: Path) -> int:
    """A descriptor that holds the folder's lock until it is closed; no child inherits it.

    Raises ``OSError`` where somebody else has it.
    """
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(fd)
        raise
    return fd


def _is_ours(folder: Path) -> bool:
    """Whether this user made it for an attempt, on this machine since it was switched on."""
    try:
        if folder.lstat().st_uid != os.geteuid():
            return False
        return (folder / MARK).read_text(encoding="utf-8") == _machine()
    except (OSError, ValueError):
        return False


def _machine() -> str:
    return f"{os.uname().nodename} {boot_id()}"
