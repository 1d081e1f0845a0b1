"""Listing folders for the tree: directories only, hidden ones apart, no file looked into."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from engine.plan.text import clean


@dataclass(frozen=True, slots=True)
class Listing:
    """The sub-folders of a folder by name, in the order of reading; ``problem`` is a sentence.

    Names are as the file system gives them: to be cleaned before they are shown.
    """

    folder: Path
    names: tuple[str, ...] = ()
    problem: str = ""
    folded: tuple[str, ...] = field(init=False, repr=False, compare=False)
    """The names as a filter compares them: cleaned and without case, made where it is listed."""

    def __post_init__(self) -> None:
        folded = tuple(clean(name).casefold() for name in self.names)
        object.__setattr__(self, "folded", folded)


def list_folders(folder: Path) -> Listing:
    """The directories in ``folder``, links to directories included. Blocking: call from a thread.

    The kind of an entry comes with the listing, so that 100,000 files cost no 100,000 ``stat``.
    """
    names = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                try:
                    if entry.is_dir():
                        names.append(entry.name)
                except OSError:
                    # A link into nowhere, or one that may not be followed: no folder to choose.
                    continue
    except OSError as error:
        return Listing(folder, (), f"cannot be listed: {error.strerror}")
    return Listing(folder, tuple(sorted(names, key=lambda name: (name.casefold(), name))))
