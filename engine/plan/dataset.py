"""The images of a folder by class and part, as they are trained on.

What raises ``DatasetError`` gives one sentence with the remedy. ``inspection`` tells a screen what
is there.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.errors import DatasetError
from engine.plan.layouts import Layout, recognise, some
from engine.plan.listing import Listing
from engine.plan.split import hold_out
from engine.plan.text import clean

__all__ = ["Dataset", "Layout", "Split", "load"]

ByClass = Sequence[tuple[str, ...]]
"""Paths of images: one tuple per class."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Images of one part of a dataset, in an order that depends on their names alone.

    ``labels[i]`` is the class index of ``paths[i]``; paths are absolute.
    """

    paths: tuple[str, ...]
    labels: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.paths)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """A folder that can be trained on.

    ``classes`` are in the order of their folders' names, cleaned for the screen.
    """

    folder: str
    """As the file system has it; clean it before showing it."""
    layout: Layout
    classes: tuple[str, ...]
    train: Split
    val: Split
    held_out: bool
    """Whether ``val`` was split off by us, because the folder has none."""
    ignored: int
    """Files that are no images, hidden ones included."""
    notices: tuple[str, ...] = ()
    """Sentences about what is unusual and can be trained on all the same."""


def load(folder: Path, val_fraction: float, seed: int) -> Dataset:
    """The images of ``folder`` by class and part.

    Where the folder has no validation images, ``val_fraction`` (0..1) of each class is held out,
    the same ones for the same ``seed``.
    """
    outline = recognise(absolute(folder))
    listing = Listing(outline)
    for _ in listing.steps():
        continue
    train, val = parts_of(listing, val_fraction, seed)
    return Dataset(
        folder=outline.folder,
        layout=outline.layout,
        classes=outline.classes,
        train=_split(train),
        val=_split(val),
        held_out=outline.val is None,
        ignored=listing.ignored,
        notices=notices_of(listing, val),
    )


def load_validation(folder: Path, val_fraction: float, seed: int) -> tuple[tuple[str, ...], Split]:
    """The classes and the validation images alone, as ``load`` finds them.

    A folder with a validation part of its own is not looked through any further: its training
    images may be a million.
    """
    outline = recognise(absolute(folder))
    if outline.val is None:
        found = load(folder, val_fraction, seed)
        return found.classes, found.val
    listing = Listing(outline)
    for _ in listing.val_steps():
        continue
    return outline.classes, _split(listing.val)


def absolute(folder: Path) -> str:
    """Not resolved: a link keeps the name that the user knows it by."""
    return str(folder.absolute())


def parts_of(listing: Listing, val_fraction: float, seed: int) -> tuple[ByClass, ByClass]:
    """The images for training and for validation; raises ``DatasetError``."""
    if listing.outline.val is not None:
        return listing.train, listing.val
    root = listing.outline.folder.rstrip(os.sep) + os.sep
    train: list[tuple[str, ...]] = []
    val: list[tuple[str, ...]] = []
    for paths in listing.train:
        # Names inside the folder: moving the folder moves no image to the other side.
        names = (path.removeprefix(root) for path in paths)
        kept, held = hold_out(names, val_fraction, seed)
        train.append(tuple(root + name for name in kept))
        val.append(tuple(root + name for name in held))
    if not any(val):
        raise DatasetError(
            f"{clean(listing.outline.folder)} has one image per class, so none can be held out "
            f"for validation; add images"
        )
    return train, val


def _split(by_class: ByClass) -> Split:
    return Split(
        paths=tuple(path for paths in by_class for path in paths),
        labels=tuple(label for label, paths in enumerate(by_class) for _ in paths),
    )


def notices_of(listing: Listing, val: ByClass) -> tuple[str, ...]:
    """Sentences about what is unusual and can be trained on all the same."""
    without = [name for name, paths in zip(listing.outline.classes, val, strict=True) if not paths]
    if not without:
        return tuple(listing.notices)
    return (*listing.notices, f"no validation images for {some(without)}")
