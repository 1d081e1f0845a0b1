"""What a folder of images holds, told while it is read: layout, classes, counts and problems."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, zip_longest
from pathlib import Path
from typing import TYPE_CHECKING

from engine.plan.dataset import ByClass, absolute, notices_of, parts_of
from engine.plan.layouts import Layout, recognise
from engine.plan.listing import Listing
from engine.plan.text import clean

if TYPE_CHECKING:
    from engine.plan.headers import Headers

_REPORT_EVERY = 0.2
"""Seconds between two reports: more than five a second nobody can read."""
_HEADERS_AT_ONCE = 64


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


def inspect(folder: Path, val_fraction: float, seed: int) -> Iterator[Report]:
    """Reports on ``folder``, ever more complete, about five a second.

    The first comes at once, with the names of the classes; then the counts grow while files are
    listed, and then the headers. The last one is ``complete``. Raises ``DatasetError``.
    """
    listing = Listing(recognise(absolute(folder)))
    yield _report(listing)
    due = time.monotonic() + _REPORT_EVERY
    for _ in listing.steps():
        if time.monotonic() >= due:
            yield _report(listing)
            due = time.monotonic() + _REPORT_EVERY
    parts = parts_of(listing, val_fraction, seed)
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


def _report(
    listing: Listing,
    parts: tuple[ByClass, ByClass] | None = None,
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
        notices=notices_of(listing, val) if parts else tuple(listing.notices),
    )
