"""Finding the images of every class, folder by folder, in a folder whose layout is known."""

from __future__ import annotations

import os
from collections.abc import Iterator

from engine.errors import DatasetError
from engine.plan import tiny_imagenet
from engine.plan.deeper import better_folder
from engine.plan.folders import images_below
from engine.plan.layouts import Outline, count_classes, no_images, no_validation, some
from engine.plan.text import clean


class Listing:
    """The images of every class, found folder by folder."""

    def __init__(self, outline: Outline) -> None:
        self.outline = outline
        self.train: list[tuple[str, ...]] = []
        """By class; shorter than the classes until all are listed."""
        self.val: list[tuple[str, ...]] = []
        """Empty where the folder has no validation images of its own."""
        self.ignored = outline.ignored
        self.notices = list(outline.notices)

    def steps(self) -> Iterator[None]:
        """Lists one folder per step, then checks the whole; raises ``DatasetError``."""
        own = 0
        for key in self.outline.keys:
            below = images_below(f"{self.outline.train}{os.sep}{key}")
            self.train.append(below.paths)
            self.ignored += below.ignored
            own += below.own
            yield
        self._check_train(own)
        if self.outline.val is None:
            return
        yield from self._list_val(self.outline.val)
        if not any(self.val):
            raise no_validation(self.outline.val)

    def val_steps(self) -> Iterator[None]:
        """Lists the validation part alone, where the folder has one of its own."""
        if self.outline.val is not None:
            yield from self._list_val(self.outline.val)

    def _list_val(self, val: str) -> Iterator[None]:
        if self.outline.layout == "Tiny ImageNet":
            found = tiny_imagenet.validation(val, self.outline.keys)
            self.val = list(found.paths)
            self.ignored += found.ignored
            self.notices.extend(found.notices)
            yield
            return
        for key in self.outline.keys:
            class_folder = f"{val}{os.sep}{key}"
            if os.path.isdir(class_folder):  # noqa: PTH112
                below = images_below(class_folder)
                self.val.append(below.paths)
                self.ignored += below.ignored
            else:
                self.val.append(())
            yield

    def _check_train(self, own: int) -> None:
        outline = self.outline
        if not any(self.train):
            raise no_images(outline.train)
        better = None
        if outline.layout == "one level of class folders":
            doubtful = own == 0 or len(outline.keys) == 1 or not all(self.train)
            better = better_folder(outline.folder) if doubtful else None
        if better is not None and own == 0 and len(outline.keys) > 1:
            raise DatasetError(
                f"the folders in {clean(outline.folder)} hold no images of their own; choose "
                f"{clean(better)}, or, if {some([clean(key) for key in outline.keys])} are the "
                f"classes, put them into a folder called train"
            )
        instead = f"; or choose {clean(better)}" if better is not None else ""
        self._check_classes(instead)

    def _check_classes(self, instead: str) -> None:
        outline = self.outline
        names = outline.classes
        empty = [name for name, paths in zip(names, self.train, strict=True) if not paths]
        if empty:
            raise DatasetError(
                f"{count_classes(len(empty))} of {clean(outline.train)} "
                f"{'has' if len(empty) == 1 else 'have'} no images: {some(empty)}; "
                f"add images or remove the {'folder' if len(empty) == 1 else 'folders'}{instead}"
            )
        if len(names) == 1:
            raise DatasetError(
                f"{clean(outline.train)} has one class only ({names[0]}); "
                f"training needs two or more, each in a folder of its own{instead}"
            )
