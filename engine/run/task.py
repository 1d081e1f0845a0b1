"""What a supervisor does, one thing at a time.

The attempt of a run (``engine.run.training``), the reading of images into memory
(``engine.run.warming``), the search of a batch size: whatever it is, a stop reaches it, and nothing
of it is left when it is over. Made in the main thread of the supervisor, which calls ``poll`` some
ten times a second; a task that cannot even begin raises where it is made.
"""

from __future__ import annotations

from typing import Protocol

from engine.run.watch import Watch


class Task(Protocol):
    """Has begun when it is made."""

    @property
    def stopping(self) -> bool:
        """Whether it was asked to end, or is being ended."""
        ...

    @property
    def watch(self) -> Watch | None:
        """Of the ranks that train now: what they use is not the doing of others."""
        ...

    def poll(self) -> bool:
        """Moves it on without waiting for anything; whether it is over.

        Once it is over, no process of it is left, it has told of itself in the journal, and it is
        not asked again.
        """
        ...

    def stop(self) -> None:
        """Asks it to end gently; asked a second time, at once."""
        ...

    def kill(self) -> None:
        """Ends it at once; it is over when ``poll`` says so."""
        ...

    def end(self) -> None:
        """Kills all of it and returns when it is gone: for a supervisor that breaks."""
        ...
