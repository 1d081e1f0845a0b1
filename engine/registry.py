"""Where experiments lie: a pointer each, under the state directory, so that any folder will do."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path

from engine.plan import places


def register(directory: Path) -> None:
    """Leaves a pointer, so that commands find the experiment from any folder."""
    entry = _entry(directory)
    try:
        entry.parent.mkdir(parents=True, exist_ok=True)
        entry.write_bytes(os.fsencode(directory))
    except OSError:
        # A read-only home loses only the finding from elsewhere; the experiment itself is whole.
        return


def registered() -> list[Path]:
    try:
        entries = list((places.state() / "experiments").iterdir())
    except OSError:
        return []
    directories = []
    for entry in entries:
        try:
            directories.append(Path(os.fsdecode(entry.read_bytes())))
        except OSError:
            continue
    return directories


def forget(directory: Path) -> None:
    """Takes the pointer away, if there is one."""
    _entry(directory).unlink(missing_ok=True)


def _entry(directory: Path) -> Path:
    digest = sha256(os.fsencode(directory)).hexdigest()[:16]
    return places.state() / "experiments" / digest
