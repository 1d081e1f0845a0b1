"""The dataset folders that were used last, kept under the XDG state directory."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from engine.plan import places

KEPT = 12
"""How many folders are remembered."""


def recent() -> list[Path]:
    """The remembered folders that are still there, latest first. Blocking: call from a thread."""
    return [path for path in _read() if path.is_dir()]


def remember(folder: Path) -> None:
    """Puts ``folder`` first. A home that cannot be written to loses only this convenience."""
    folder = folder.absolute()
    kept = [folder, *(path for path in _read() if path != folder)][:KEPT]
    file = _file()
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        # Names may hold line feeds and bytes that are no text; none holds a zero byte.
        temporary.write_bytes(b"\0".join(os.fsencode(path) for path in kept))
        temporary.replace(file)
    except OSError:
        with suppress(OSError):
            temporary.unlink()


def _read() -> list[Path]:
    try:
        data = _file().read_bytes()
    except OSError:
        return []
    return [Path(os.fsdecode(each)) for each in data.split(b"\0") if each][:KEPT]


def _file() -> Path:
    return places.state() / "recent-folders"
