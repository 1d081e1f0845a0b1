"""What a supervisor does before the first run: each thing a task of its own."""

from __future__ import annotations

from engine.journal.events import Preparing
from engine.run.docket import Docket
from engine.run.task import Task


class Preparations:
    """Asked between two tasks for what has to be done before the next run."""

    def __init__(self, docket: Docket) -> None:
        self._docket = docket
        self._told = False

    def due(self) -> Task | None:
        """The next of them, begun; ``None`` where the next run can begin."""
        self.over()
        # Nothing is prepared for nothing.
        return self._next() if self._docket.waiting else None

    def over(self) -> None:
        """Tells that none is being done: call it when the last one has ended."""
        if self._told:
            self._docket.tell(Preparing(what=""))
            self._told = False

    def _next(self) -> Task | None:
        # 1. The images are read into memory, where more than one run waits.
        # 2. SEARCH: with settings.find_batch, for every strategy that has no BatchFound in the
        #    journal: self._tell("searching the batch size of amp", "amp"), and its task.
        # 3. Once all have one: the runs of the view ``best`` are added.
        return None

    def _tell(self, what: str, strategy: str = "") -> None:
        self._docket.tell(Preparing(what=what, strategy=strategy))
        self._told = True
