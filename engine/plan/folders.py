"""Looking into folders: what lies in one, told apart by names alone.

Files count as images by their extension; whether one can be decoded is found out by reading it.
Everything is sorted by name, so that an order never depends on the file system. File names may
be any bytes (``surrogateescape``); text for people is cleaned.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from engine.errors import DatasetError
from engine.plan.text import clean

IMAGE_EXTENSIONS = frozenset(
    (
        *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".gif", ".webp"),
        *(".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".pnm"),
    )
)
"""What Pillow reads without further packages, in lower case."""

_PACKING_LEFTOVERS = frozenset(("__MACOSX",))


class Entries(NamedTuple):
    """One folder's content: names, each group sorted."""

    folders: tuple[str, ...]
    images: tuple[str, ...]
    others: tuple[str, ...]
    """Files that are no images, and everything hidden."""


class Below(NamedTuple):
    """All images under a folder."""

    paths: tuple[str, ...]
    """Absolute where the folder is; sorted."""
    own: int
    """How many of them lie in the folder itself or in its folder ``images``."""
    ignored: int


def holds_image(folder: str) -> bool:
    """Whether an image lies in ``folder`` itself; ``False`` where it cannot be listed."""
    try:
        with os.scandir(folder) as found:
            return any(
                is_image(entry.name) and not entry.name.startswith(".") and entry.is_file()
                for entry in found
            )
    except OSError:
        return False


def is_image(name: str) -> bool:
    """Whether a file of that name counts as an image."""
    return os.path.splitext(name)[1].lower() in IMAGE_EXTENSIONS  # noqa: PTH122 (hot, and str)


def entries(folder: str) -> Entries:
    """What lies in ``folder``; raises ``DatasetError`` where it cannot be listed.

    Symbolic links count as what they lead to; those that lead nowhere are ``others``, as are
    sockets, pipes and devices.
    """
    folders: list[str] = []
    images: list[str] = []
    others: list[str] = []
    try:
        with os.scandir(folder) as found:
            for entry in found:
                name = entry.name
                if name.startswith(".") or name in _PACKING_LEFTOVERS:
                    others.append(name)
                elif entry.is_dir():
                    folders.append(name)
                elif is_image(name) and entry.is_file():
                    images.append(name)
                else:
                    others.append(name)
    except OSError as error:
        raise cannot_open(folder, error) from error
    return Entries(tuple(sorted(folders)), tuple(sorted(images)), tuple(sorted(others)))


def images_below(folder: str) -> Below:
    """Every image under ``folder``, its sub-folders' too; each folder is entered once.

    A link to a folder is followed, unless the folder it leads to was entered already: loops end.
    """
    paths: list[str] = []
    own = 0
    ignored = 0
    entered: set[tuple[int, int]] = set()
    waiting = [folder]
    while waiting:
        current = waiting.pop()
        if not _enter(current, entered):
            continue
        inside = entries(current)
        ignored += len(inside.others)
        paths.extend(f"{current}{os.sep}{name}" for name in inside.images)
        if current in (folder, f"{folder}{os.sep}images"):
            own += len(inside.images)
        waiting.extend(f"{current}{os.sep}{name}" for name in reversed(inside.folders))
    return Below(tuple(sorted(paths)), own, ignored)


def cannot_open(path: str, error: OSError) -> DatasetError:
    """The sentence for a folder or file that the system does not let us read."""
    if isinstance(error, PermissionError):
        return DatasetError(
            f"no permission to read {clean(path)}; ask its owner, or allow it with "
            f"'chmod u+rx' on folders and 'chmod u+r' on files"
        )
    return DatasetError(
        f"{clean(path)} cannot be read ({error.strerror}); check the disk or the network mount"
    )


def _enter(folder: str, entered: set[tuple[int, int]]) -> bool:
    try:
        status = os.stat(folder)  # noqa: PTH116 (hot, and str)
    except OSError as error:
        raise cannot_open(folder, error) from error
    identity = (status.st_dev, status.st_ino)
    if identity in entered:
        return False
    entered.add(identity)
    return True
