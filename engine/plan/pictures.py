"""The images that are meant by what a user names: files, and folders with all below them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from engine.errors import WrongInput
from engine.plan.folders import images_below
from engine.plan.text import clean

_BETWEEN = "images"
"""A folder between an image and its class's, as Tiny ImageNet has it."""


def pictures(named: Sequence[str]) -> list[str]:
    """Their paths, folders walked in the order of names; each is there once.

    A file that is named is taken whatever it is called. Raises ``WrongInput`` for what is not
    there, and for a folder without images.
    """
    found: list[str] = []
    for name in named:
        path = Path(name).absolute()
        if path.is_dir():
            below = images_below(str(path)).paths
            if not below:
                raise WrongInput(f"{clean(name)} holds no images; name an image, or another folder")
            found += below
        elif path.is_file():
            found.append(str(path))
        else:
            what = "is no file" if path.exists() else "does not exist"
            raise WrongInput(f"{clean(name) or 'an empty name'} {what}; name an image or a folder")
    return list(dict.fromkeys(found))


def class_of(path: str, names: Sequence[str]) -> str | None:
    """The class among ``names`` that the image's folder is called as; ``None`` where it is none."""
    folder, _ = os.path.split(path)
    parent, name = os.path.split(folder)
    if name == _BETWEEN and name not in names:
        name = Path(parent).name
    name = clean(name)
    return name if name in names else None
