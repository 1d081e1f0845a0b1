"""Tiny ImageNet as it is unpacked.

::

    words.txt                        wnid <tab> names, for all of WordNet
    train/<wnid>/images/*.JPEG
    val/images/*.JPEG
    val/val_annotations.txt          file <tab> wnid <tab> box, one image per line
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from engine.errors import DatasetError
from engine.plan.folders import cannot_open, entries
from engine.plan.text import clean

ANNOTATIONS = "val_annotations.txt"


class Validation(NamedTuple):
    """The validation images by class, in the order of the classes."""

    paths: tuple[tuple[str, ...], ...]
    ignored: int
    notices: tuple[str, ...]


def is_val(folder: str) -> bool:
    """Whether a validation folder says its classes in a file instead of by folders."""
    return Path(folder, ANNOTATIONS).is_file()


def words(folder: str, wanted: frozenset[str]) -> dict[str, str]:
    """The first name of each wanted wnid, from ``words.txt``; empty where it cannot be read."""
    names: dict[str, str] = {}
    try:
        with Path(folder, "words.txt").open(encoding="utf-8", errors="replace") as file:
            for line in file:
                wnid, _, rest = line.partition("\t")
                if wnid in wanted and rest.strip():
                    names[wnid] = rest.split(",")[0].strip()
    except OSError:
        return {}
    return names


def validation(val: str, wnids: tuple[str, ...]) -> Validation:
    """The images that ``val_annotations.txt`` gives a class; raises ``DatasetError``."""
    folder = f"{val}{os.sep}images"
    there = entries(folder)
    index = {wnid: number for number, wnid in enumerate(wnids)}
    by_class: list[list[str]] = [[] for _ in wnids]
    annotated = _annotations(Path(val, ANNOTATIONS))
    strangers = sorted({wnid for wnid in annotated.values() if wnid not in index})
    if strangers:
        raise DatasetError(
            f"{clean(val)}/{ANNOTATIONS} names {len(strangers)} class(es) that the training "
            f"folder lacks: {', '.join(clean(each) for each in strangers[:5])}; "
            f"unpack the archive again, or remove those lines"
        )
    unnamed = 0
    for name in there.images:
        wnid = annotated.get(name)
        if wnid is None:
            unnamed += 1
        else:
            by_class[index[wnid]].append(f"{folder}{os.sep}{name}")
    missing = len(annotated.keys() - set(there.images))
    notices = []
    if unnamed:
        notices.append(f"validation images without a line in {ANNOTATIONS}, left out: {unnamed}")
    if missing:
        notices.append(f"validation images named in {ANNOTATIONS} that are not there: {missing}")
    ignored = len(there.others) + unnamed
    return Validation(tuple(tuple(paths) for paths in by_class), ignored, tuple(notices))


def _annotations(path: Path) -> dict[str, str]:
    """File name -> wnid."""
    try:
        text = path.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError as error:
        raise cannot_open(str(path), error) from error
    found = {}
    for line in text.split("\n"):
        name, _, rest = line.partition("\t")
        wnid = rest.partition("\t")[0].strip()
        if wnid:
            found[name] = wnid
    return found
