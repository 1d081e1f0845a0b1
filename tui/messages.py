"""The messages of the dashboard but those of Setup; each has one handler."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from engine.run.resume import Resumable
    from tui.adding import Addable
    from tui.experiments import ExperimentRow
    from tui.feed import Feed
    from tui.going_on import Wanted
    from tui.requests import Request


@dataclass
class ExperimentStarted(Message):
    """A supervisor holds its lock: show the experiment."""

    directory: Path


@dataclass
class StartRefused(Message):
    """An experiment could not be created or started; ``sentence`` says why and what to do."""

    sentence: str


@dataclass
class Copied(Message):
    """``text`` is to be pasted from now on; ``what`` says in words what it is."""

    text: str
    what: str
    by_tmux: bool
    """Whether tmux has it already; else the terminal is still to be told."""


@dataclass
class FeedOpened(Message):
    """An experiment can be followed: ``feed`` is ready to be started."""

    feed: Feed


@dataclass
class RisksKnown(Message):
    """What would end a training from outside once this login is over, a sentence each."""

    risks: tuple[str, ...]


@dataclass
class OpenRefused(Message):
    """An experiment cannot be followed; ``sentence`` says why."""

    sentence: str


@dataclass
class RunFinished(Message):
    """A run of the shown experiment came to its end while the dashboard looked on."""

    run: str
    strategy: str
    """With its repeat, where there are several."""
    state: str
    """``done``, ``failed`` or ``stopped``."""
    reason: str


@dataclass
class ExperimentFinished(Message):
    """No run of the shown experiment is left to do."""

    name: str
    state: str


@dataclass
class TitleChanged(Message):
    """State and progress in a few words, for the terminal's title."""

    title: str


# Home


@dataclass
class ExperimentsListed(Message):
    """The experiments on disk, newest first."""

    rows: tuple[ExperimentRow, ...]


@dataclass
class OpenWanted(Message):
    """Enter on an experiment."""

    directory: Path


@dataclass
class ExperimentVisited(Message):
    """The cursor of the list stands on another experiment, or on the same with other values."""


@dataclass
class RequestAnswered(Message):
    """A stop or deletion was asked for: a sentence on what came of it."""

    sentence: str
    failed: bool = False


# Compare


@dataclass
class Exported(Message):
    """A table was written to ``path``."""

    path: Path


@dataclass
class ExportRefused(Message):
    """It was not: a file is there already (``exists``), or it cannot be written."""

    path: Path
    sentence: str
    exists: bool = False


# The queue


@dataclass
class RunWanted(Message):
    """Enter on a run."""

    run: str


@dataclass
class RunVisited(Message):
    """The cursor of the list stands on another run, or on the same in another state."""


@dataclass
class AddableFound(Message):
    """The strategies that are not in the experiment, or the sentence why none is known."""

    found: tuple[Addable, ...]
    judged: bool
    """Whether it is known which of them can run here."""
    problem: str = ""


@dataclass
class StrategyPointed(Message):
    """The cursor stands on another strategy that could be added."""


@dataclass
class StrategyWanted(Message):
    """Enter on a strategy that could be added."""

    strategy: Addable


@dataclass
class QueueAnswered(Message):
    """A request about the queue was carried out, or refused with a sentence."""

    directory: Path
    request: Request
    refused: str = ""


# Going on


@dataclass
class GoingOnKnown(Message):
    """What runs that are not done would go on from."""

    wanted: Wanted
    found: tuple[Resumable, ...]


@dataclass
class WentOn(Message):
    """A sentence on what came of a request to go on, to begin anew, or to save."""

    sentence: str
    refused: bool = False


# Live


@dataclass
class RequestTaken(Message):
    """A request was left for the supervisor: ``stop`` or ``kill`` of a run, or of all where ``run``
    is empty."""

    action: str
    run: str


@dataclass
class RequestRefused(Message):
    """A request could not be left; ``sentence`` says why."""

    sentence: str
