"""Steps that went wrong: which were skipped, and when there were too many in a row."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from typing import Any

from engine.train.rows import Row


class Skips:
    """Is told of every finished step, in order."""

    def __init__(self, tolerance: int) -> None:
        """``tolerance``: so many steps in a row that are not finite end the training."""
        self.tolerance = tolerance
        self.too_many: Row | None = None
        """The step at which training went wrong."""
        self._in_a_row = 0
        self._skipped: list[int] = []

    def note(self, row: Row) -> None:
        self._in_a_row = 0 if row.good else self._in_a_row + 1
        # A skipped step is skipped on every rank; a loss may be known to one of them alone.
        if not (row.finite if self.tolerance > 1 else row.good):
            self._skipped.append(row.step)
        if self._in_a_row >= self.tolerance and self.too_many is None:
            self.too_many = row

    def before(self, step: int) -> int:
        """How many steps before ``step`` were skipped."""
        return bisect_left(self._skipped, step)

    def state(self) -> dict[str, Any]:
        """What a checkpoint must know of them."""
        return {"skipped": list(self._skipped), "bad_in_a_row": self._in_a_row}

    def restore(self, state: Mapping[str, Any]) -> None:
        """The inverse of ``state``."""
        self._skipped = [int(step) for step in state.get("skipped", ())]
        self._in_a_row = int(state.get("bad_in_a_row", 0))
