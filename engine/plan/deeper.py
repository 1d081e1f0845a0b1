"""Finding the folder that somebody probably meant: the images lie deeper, or they are one class."""

from __future__ import annotations

import os
from collections import deque

from engine.errors import DatasetError
from engine.plan.folders import entries, holds_image

_DEPTH = 3
_FOLDERS = 300
"""How many folders are looked into at most: this serves one sentence."""


def better_folder(folder: str) -> str | None:
    """The nearest folder below ``folder`` that looks like a dataset, first by name."""
    waiting = deque([(folder, 0)])
    looked = 0
    while waiting and looked < _FOLDERS:
        current, depth = waiting.popleft()
        looked += 1
        try:
            folders = entries(current).folders
        except DatasetError:
            continue
        if depth and _looks_right(current, folders):
            return current
        if depth < _DEPTH:
            waiting.extend((f"{current}{os.sep}{name}", depth + 1) for name in folders)
    return None


def enclosing(folder: str) -> str | None:
    """The dataset that ``folder`` is one class of, if it looks so from outside."""
    parent, name = os.path.split(folder)
    grandparent, part = os.path.split(parent)
    if part.lower() in ("train", "training") and name:
        return grandparent
    try:
        return parent if name and _looks_right(parent, entries(parent).folders) else None
    except DatasetError:
        return None


def _looks_right(folder: str, folders: tuple[str, ...]) -> bool:
    if any(name.lower() == "train" for name in folders):
        return True
    holding = (name for name in folders[:_FOLDERS] if holds_image(f"{folder}{os.sep}{name}"))
    return next(holding, None) is not None and next(holding, None) is not None
