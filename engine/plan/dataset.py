"""What a folder of images holds: layout, classes, counts and problems.

``load`` lists the images for training; ``inspect`` tells a screen what is there, growing as it is
read. Both raise ``DatasetError``: one sentence with the remedy.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, zip_longest
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import DatasetError
from engine.plan.layouts import Layout, recognise, some
from engine.plan.listing import Listing
from engine.plan.split import hold_out
from engine.plan.text import clean

if TYPE_CHECKING:
    from engine.plan.headers import Headers

__all__ = ["ClassCount", "Dataset", "Layout", "Report", "Split", "inspect", "load"]

_REPORT_EVERY = 0.2
"""Seconds between two reports: more than five a second nobody can read."""
_HEADERS_AT_ONCE = 64


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


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassCount:
    name: str
    train: int
    val: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What ``inspect`` found so far; ``headers_read`` grows until it reaches ``images``.

    All of it is text and numbers for a screen: nothing here opens a file.
    """

    folder: str
    """Cleaned."""
    layout: Layout
    classes: tuple[ClassCount, ...]
    train_images: int
    val_images: int
    held_out: bool
    ignored: int
    imbalance: float | None
    """Images of the largest class over those of the smallest, in the training part; ``None``
    while files are still being listed."""
    headers_read: int
    bytes: int
    """Of the files whose headers were read."""
    typical_width: int | None
    typical_height: int | None
    """Medians over the headers read."""
    unreadable: int
    unreadable_names: tuple[str, ...]
    """The first ten, relative to the folder, cleaned."""
    listed: bool = True
    """``False`` while files are still being listed: every count is "so far" until then."""
    notices: tuple[str, ...] = ()
    """Sentences about what is unusual and can be trained on all the same."""

    @property
    def images(self) -> int:
        return self.train_images + self.val_images

    @property
    def complete(self) -> bool:
        return self.listed and self.headers_read == self.images


def load(folder: Path, val_fraction: float, seed: int) -> Dataset:
    """The images of ``folder`` by class and part.

    Where the folder has no validation images, ``val_fraction`` (0..1) of each class is held out,
    the same ones for the same ``seed``.
    """
    outline = recognise(_absolute(folder))
    listing = Listing(outline)
    for _ in listing.steps():
        continue
    train, val = _parts(listing, val_fraction, seed)
    return Dataset(
        folder=outline.folder,
        layout=outline.layout,
        classes=outline.classes,
        train=_split(train),
        val=_split(val),
        held_out=outline.val is None,
        ignored=listing.ignored,
        notices=_notices(listing, val),
    )


def load_validation(folder: Path, val_fraction: float, seed: int) -> tuple[tuple[str, ...], Split]:
    """The classes and the validation images alone, as ``load`` finds them.

    A folder with a validation part of its own is not looked through any further: its training
    images may be a million.
    """
    outline = recognise(_absolute(folder))
    if outline.val is None:
        found = load(folder, val_fraction, seed)
        return found.classes, found.val
    listing = Listing(outline)
    for _ in listing.val_steps():
        continue
    return outline.classes, _split(listing.val)


def inspect(folder: Path, val_fraction: float, seed: int) -> Iterator[Report]:
    """Reports on ``folder``, ever more complete, about five a second.

    The first comes at once, with the names of the classes; then the counts grow while files are
    listed, and then the headers. The last one is ``complete``.
    """
    listing = Listing(recognise(_absolute(folder)))
    yield _report(listing)
    due = time.monotonic() + _REPORT_EVERY
    for _ in listing.steps():
        if time.monotonic() >= due:
            yield _report(listing)
            due = time.monotonic() + _REPORT_EVERY
    parts = _parts(listing, val_fraction, seed)
    yield _report(listing, parts)

    from engine.plan.headers import Headers

    headers = Headers(listing.outline.folder)
    paths = (path for part in parts for paths in part for path in paths)
    due = time.monotonic() + _REPORT_EVERY
    while batch := tuple(islice(paths, _HEADERS_AT_ONCE)):
        headers.add(batch)
        if time.monotonic() >= due:
            yield _report(listing, parts, headers)
            due = time.monotonic() + _REPORT_EVERY
    yield _report(listing, parts, headers)


_ByClass = Sequence[tuple[str, ...]]
"""Paths of images: one tuple per class."""


def _absolute(folder: Path) -> str:
    # Not resolved: a link keeps the name that the user knows it by.
    return str(folder.absolute())


def _parts(listing: Listing, val_fraction: float, seed: int) -> tuple[_ByClass, _ByClass]:
    """The images for training and for validation."""
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


def _split(by_class: _ByClass) -> Split:
    return Split(
        paths=tuple(path for paths in by_class for path in paths),
        labels=tuple(label for label, paths in enumerate(by_class) for _ in paths),
    )


def _notices(listing: Listing, val: _ByClass) -> tuple[str, ...]:
    without = [name for name, paths in zip(listing.outline.classes, val, strict=True) if not paths]
    if not without:
        return tuple(listing.notices)
    return (*listing.notices, f"no validation images for {some(without)}")


def _report(
    listing: Listing,
    parts: tuple[_ByClass, _ByClass] | None = None,
    headers: Headers | None = None,
) -> Report:
    outline = listing.outline
    train, val = parts or (listing.train, listing.val)
    in_train = [len(paths) for paths in train]
    in_val = [len(paths) for paths in val]
    counts = zip_longest(outline.classes, in_train, in_val, fillvalue=0)
    return Report(
        folder=clean(outline.folder),
        layout=outline.layout,
        classes=tuple(ClassCount(name=str(name), train=a, val=b) for name, a, b in counts),
        train_images=sum(in_train),
        val_images=sum(in_val),
        held_out=outline.val is None,
        ignored=listing.ignored,
        imbalance=max(in_train) / min(in_train) if parts else None,
        headers_read=headers.read if headers else 0,
        bytes=headers.bytes if headers else 0,
        typical_width=headers.typical_width if headers else None,
        typical_height=headers.typical_height if headers else None,
        unreadable=headers.unreadable if headers else 0,
        unreadable_names=tuple(headers.unreadable_names) if headers else (),
        listed=parts is not None,
        notices=_notices(listing, val) if parts else tuple(listing.notices),
    )
