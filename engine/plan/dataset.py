"""What a folder of images holds: layout, classes, counts and problems."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Layout = Literal["train and val folders", "one level of class folders", "Tiny ImageNet"]


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
    """A folder that can be trained on. ``classes`` are sorted, cleaned for the screen."""

    folder: str
    layout: Layout
    classes: tuple[str, ...]
    train: Split
    val: Split
    held_out: bool
    """Whether ``val`` was split off by us, because the folder has none."""
    ignored: int
    """Files that are no images, hidden ones included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassCount:
    name: str
    train: int
    val: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What ``inspect`` found so far; ``headers_read`` grows until it reaches ``images``."""

    folder: str
    layout: Layout
    classes: tuple[ClassCount, ...]
    train_images: int
    val_images: int
    held_out: bool
    ignored: int
    imbalance: float
    """Images of the largest class over those of the smallest, in the training part."""
    headers_read: int
    bytes: int
    """Of the files whose headers were read."""
    typical_width: int | None
    typical_height: int | None
    """Medians over the headers read."""
    unreadable: int
    unreadable_names: tuple[str, ...]
    """The first ten, relative to the folder, cleaned."""

    @property
    def images(self) -> int:
        return self.train_images + self.val_images
