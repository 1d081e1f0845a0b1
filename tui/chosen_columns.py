"""The columns that the user chose for the comparison, kept under the XDG state directory."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import msgspec

from engine.plan import places


class Kept(msgspec.Struct, frozen=True):
    """By name: what was ticked and what was unticked against the columns' own word."""

    shown: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()


def remembered() -> Kept:
    """What was chosen last; nothing where nothing was, or it cannot be read."""
    try:
        return msgspec.json.decode(_file().read_bytes(), type=Kept)
    except (OSError, msgspec.MsgspecError):
        return Kept()


def remember(kept: Kept) -> None:
    """For the next session. A home that cannot be written to loses only this convenience."""
    file = _file()
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(msgspec.json.encode(kept))
        temporary.replace(file)
    except OSError:
        with suppress(OSError):
            temporary.unlink()


def _file() -> Path:
    return places.state() / "compare-columns.json"
