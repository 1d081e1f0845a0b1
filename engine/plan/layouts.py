"""The ways in which people lay out a folder of images, and which of them a folder has.

``recognise`` lists a handful of folders and knows the classes at once; ``engine.plan.listing``
then finds the images class by class. Both raise ``DatasetError`` for what cannot be trained on.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Literal

from engine.errors import DatasetError
from engine.plan import tiny_imagenet
from engine.plan.deeper import better_folder, enclosing
from engine.plan.folders import Entries, cannot_open, entries
from engine.plan.text import clean

Layout = Literal[
    "train and val folders", "train folder alone", "one level of class folders", "Tiny ImageNet"
]

_TRAIN_NAMES = ("train", "training")
_VAL_NAMES = ("val", "valid", "validation", "test")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """A folder's layout and classes, before its images were listed. Paths are absolute."""

    folder: str
    layout: Layout
    keys: tuple[str, ...]
    """The names of the class folders, as the file system has them, sorted."""
    classes: tuple[str, ...]
    """Their names for people, in the same order, each of them different."""
    train: str
    """The folder that holds the class folders."""
    val: str | None
    ignored: int
    notices: tuple[str, ...]


def recognise(folder: str) -> Outline:
    """The layout of ``folder``; looks at no more than the folders that name its classes."""
    shown = clean(folder)
    top = _top_entries(folder)
    train = _pick(top.folders, _TRAIN_NAMES)
    val = _pick(top.folders, _VAL_NAMES)
    if train is not None:
        return _with_train(folder, top, train, val)
    if val is not None and val.lower() != "test":
        raise DatasetError(
            f"{shown} has a folder {clean(val)} but none called train; "
            f"put the training images into {shown}/train, one folder per class"
        )
    _require_class_folders(folder, folder, top)
    return Outline(
        folder=folder,
        layout="one level of class folders",
        keys=top.folders,
        classes=_class_names(folder, "one level of class folders", top.folders),
        train=folder,
        val=None,
        ignored=len(top.others) + len(top.images),
        notices=(*_outside(top), *_beside(folder)),
    )


def _top_entries(folder: str) -> Entries:
    shown = clean(folder)
    try:
        os.stat(folder)  # noqa: PTH116 (bytes that are no UTF-8 stay as they are)
    except (FileNotFoundError, NotADirectoryError):
        raise DatasetError(
            f"there is no folder {shown}; give the path of a folder of images"
        ) from None
    except OSError as error:
        raise cannot_open(folder, error) from error
    if not os.path.isdir(folder):  # noqa: PTH112
        unpack = folder.lower().endswith((".zip", ".tar", ".gz", ".tgz", ".7z", ".rar"))
        raise DatasetError(
            f"{shown} is a file, not a folder; "
            + ("unpack it and give the folder" if unpack else "give the folder that holds it")
        )
    return entries(folder)


def _with_train(folder: str, top: Entries, train: str, val: str | None) -> Outline:
    root = f"{folder}{os.sep}{train}"
    inside = entries(root)
    _require_class_folders(folder, root, inside)
    notices = list(_outside(inside))
    layout: Layout = "train and val folders"
    val_root = None if val is None else f"{folder}{os.sep}{val}"
    ignored = len(top.others) + len(top.images) + len(inside.others) + len(inside.images)
    if val_root is not None and tiny_imagenet.is_val(val_root):
        layout = "Tiny ImageNet"
    elif val_root is not None:
        inside_val = entries(val_root)
        ignored += len(inside_val.others) + len(inside_val.images)
        if val == "test" and not inside_val.folders:
            notices.append("test has no class folders, so it is not used for validation")
            val_root = None
        else:
            _check_val(folder, val_root, inside_val, inside.folders)
    if val_root is None:
        layout = "train folder alone"
    used = {train, val if val_root is not None else train}
    left = [clean(name) for name in top.folders if name not in used]
    if left:
        notices.append(f"not used: {some(left)}")
    return Outline(
        folder=folder,
        layout=layout,
        keys=inside.folders,
        classes=_class_names(folder, layout, inside.folders),
        train=root,
        val=val_root,
        ignored=ignored,
        notices=tuple(notices),
    )


def _check_val(folder: str, val: str, inside: Entries, classes: tuple[str, ...]) -> None:
    if not inside.folders and not inside.images:
        raise no_validation(val)
    _require_class_folders(folder, val, inside)
    strangers = [clean(name) for name in inside.folders if name not in set(classes)]
    if strangers:
        raise DatasetError(
            f"{clean(val)} has {count_classes(len(strangers))} that the training folder lacks: "
            f"{some(strangers)}; give both the same class folders"
        )


def _require_class_folders(folder: str, root: str, inside: Entries) -> None:
    """Raises ``DatasetError`` where ``root`` has no folders that could be classes."""
    if inside.folders:
        return
    shown = clean(root)
    if inside.images:
        count = len(inside.images)
        whole = enclosing(folder) if root == folder else None
        instead = f"choose {clean(whole)}, or " if whole else ""
        raise DatasetError(
            f"{shown} holds {count} {'image' if count == 1 else 'images'} but no class folders; "
            f"{instead}put the images of each class into a folder of its own, as "
            f"{shown}/cat/{clean(inside.images[0])}"
        )
    raise no_images(root, inside.others)


def no_images(folder: str, others: tuple[str, ...] = ()) -> DatasetError:
    """The sentence for a folder without a single image, and what lies there instead."""
    endings = sorted({os.path.splitext(name)[1] or name for name in others})  # noqa: PTH122
    instead = f" (found {some([clean(each) for each in endings])})" if endings else ""
    better = better_folder(folder)
    remedy = f"choose {clean(better)}" if better else "images are files such as .jpg, .png or .webp"
    return DatasetError(f"there are no images in {clean(folder)}{instead}; {remedy}")


def no_validation(val: str) -> DatasetError:
    """The sentence for a folder of validation images that holds none."""
    return DatasetError(
        f"{clean(val)} holds no images; fill it, or remove it to hold out "
        f"a part of the training images"
    )


def some(names: list[str], limit: int = 5) -> str:
    """The first few of many names, and how many more there are."""
    if len(names) <= limit:
        return ", ".join(names)
    return f"{', '.join(names[:limit])} and {len(names) - limit} more"


def count_classes(count: int) -> str:
    return "a class" if count == 1 else f"{count} classes"


def _outside(inside: Entries) -> tuple[str, ...]:
    count = len(inside.images)
    if not count:
        return ()
    return (
        f"{count} {'image lies' if count == 1 else 'images lie'} outside the class folders "
        f"and {'is' if count == 1 else 'are'} left out",
    )


def _beside(folder: str) -> tuple[str, ...]:
    """What somebody may not know who chose a dataset's training part alone."""
    parent, name = os.path.split(folder)
    if name.lower() not in _TRAIN_NAMES:
        return ()
    try:
        val = _pick(entries(parent).folders, _VAL_NAMES)
    except DatasetError:
        return ()
    if val is None:
        return ()
    return (f"the images in {clean(val)} beside it are not used; choose {clean(parent)} for both",)


def _pick(folders: tuple[str, ...], wanted: tuple[str, ...]) -> str | None:
    """The first wanted name that is there, in whatever case."""
    for name in wanted:
        if name in folders:
            return name
        for folder in folders:
            if folder.lower() == name:
                return folder
    return None


def _class_names(folder: str, layout: Layout, keys: tuple[str, ...]) -> tuple[str, ...]:
    names = list(keys)
    if layout == "Tiny ImageNet":
        words = tiny_imagenet.words(folder, frozenset(keys))
        names = [words.get(key, key) for key in keys]
    return _distinct([clean(name) for name in names], keys)


def _distinct(names: list[str], keys: tuple[str, ...]) -> tuple[str, ...]:
    """Names that read the same are told apart by their folder, then by a number."""
    seen: set[str] = set()
    distinct = []
    for name, key in zip(names, keys, strict=True):
        candidate = name
        if candidate in seen and clean(key) != name:
            candidate = f"{name} ({clean(key)})"
        number = 2
        while candidate in seen:
            candidate = f"{name} ({number})"
            number += 1
        seen.add(candidate)
        distinct.append(candidate)
    return tuple(distinct)
