"""Images that cannot be decoded: named once each, and the end of a run where there are many."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from engine.errors import DamagedImages
from engine.journal.events import Notice
from engine.plan.dataset import Dataset, Split
from engine.plan.text import clean
from engine.train.batch import Batch
from engine.train.course import Part

_SHARE = 100
"""One image in so many may be damaged, and one in any case."""
_NAMED = 10


class Damage:
    """The damaged images seen so far."""

    def __init__(self, folder: Dataset, post: Callable[[Notice], None]) -> None:
        self._folder = folder.folder
        self._splits: dict[Part, Split] = {"train": folder.train, "val": folder.val}
        self._seen: dict[Part, dict[int, str]] = {"train": {}, "val": {}}
        self._post = post

    def note(self, batch: Batch) -> None:
        """Tells of the images that ``batch`` lacks; raises ``DamagedImages`` beyond 1 %."""
        if not batch.damaged:
            return
        seen, split = self._seen[batch.part], self._splits[batch.part]
        new = {index: reason for index, reason in batch.damaged if index not in seen}
        for index in new:
            seen[index] = clean(os.path.relpath(split.paths[index], self._folder))
        if len(seen) > max(1, len(split) // _SHARE):
            if not Path(self._folder).is_dir():
                raise DamagedImages(
                    f"{clean(self._folder)} is gone: it was moved or deleted, or its disk was "
                    "unmounted, while it was trained on; bring it back and retry"
                )
            names = ", ".join(list(seen.values())[:_NAMED])
            more = f" and {len(seen) - _NAMED} more" if len(seen) > _NAMED else ""
            what = "training" if batch.part == "train" else "validation"
            raise DamagedImages(
                f"more than 1 % of the {len(split)} {what} images cannot be decoded: "
                f"{names}{more}; repair or remove them"
            )
        for index, reason in new.items():
            self._post(
                Notice(
                    level="warning",
                    code="corrupt-image",
                    text=f"{seen[index]} cannot be decoded and is skipped ({clean(reason)})",
                )
            )
