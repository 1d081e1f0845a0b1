"""Checkpoints as far as everything but training knows them: a whole archive with a header."""

from __future__ import annotations

import time
import zipfile
from pathlib import Path
from typing import Any

import msgspec

from engine.journal import layout
from engine.journal.checkpoints import MEMBER, Header


def header(step: int, **more: Any) -> Header:
    known: dict[str, Any] = {
        "saved": time.time(),
        "model": "resnet18",
        "classes": 2,
        "strategy": "single",
        "world_size": 1,
        "epoch": 0,
        "step_in_epoch": step,
    }
    return Header(step=step, **{**known, **more})


def save(run: Path, step: int, name: str = layout.LAST, **more: Any) -> Path:
    """A checkpoint in the directory of a run."""
    path = run / layout.CHECKPOINTS / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", b"weights" * 100)
        archive.writestr(f"archive/{MEMBER}", msgspec.json.encode(header(step, **more)))
    return path


def damage(path: Path) -> None:
    """As a disk does it: a byte in the middle is another one."""
    data = bytearray(path.read_bytes())
    place = data.index(b"weights") + 50
    data[place] ^= 0xFF
    path.write_bytes(bytes(data))
