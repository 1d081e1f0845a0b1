"""Every message of the dashboard; each has one handler."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from engine.plan.defaults import Resolved
    from engine.plan.machine import Machine
    from tui.experiments import ExperimentRow
    from tui.feed import Feed
    from tui.folders import Listing


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


# Setup


@dataclass
class FolderWanted(Message):
    """The tree shows a folder whose sub-folders it does not know yet."""

    folder: Path


@dataclass
class FoldersListed(Message):
    """The sub-folders of a folder were listed in the background."""

    listing: Listing


@dataclass
class RecentFound(Message):
    """The folders used last, latest first; those that are gone left out."""

    folders: tuple[Path, ...]


@dataclass
class FolderChosen(Message):
    """The user chose a folder as the dataset."""

    folder: Path


@dataclass
class PathTyped(Message):
    """The path field's text changed (``done`` false), or Enter was pressed in it."""

    text: str
    done: bool = False


@dataclass
class PathLeft(Message):
    """The path field was left without a choice; ``keep`` leaves the list filtered."""

    keep: bool = False


@dataclass
class DefaultsResolved(Message):
    """The settings for a dataset, or the sentence why they are not what was asked for."""

    number: int
    """Of the question: an answer to an older one no longer counts."""
    resolved: Resolved | None
    field: str = ""
    """The setting at fault."""
    problem: str = ""


@dataclass
class MachineKnown(Message):
    """The probe's answer; a ``machine.problem`` where nothing can be trained."""

    machine: Machine


@dataclass
class TickRefused(Message):
    """A strategy that cannot run here was to be ticked."""

    strategy: str
    reason: str


@dataclass
class StrategiesTicked(Message):
    """The ticked strategies changed."""

    names: tuple[str, ...]


@dataclass
class StrategyVisited(Message):
    """The cursor stands on another strategy, or came back to the list."""


@dataclass
class SettingEdited(Message):
    """A new text for a setting; ``None`` asks for its default again."""

    name: str
    text: str | None


@dataclass
class SettingVisited(Message):
    """The cursor stands on a setting (an empty name: on none)."""

    name: str


@dataclass
class StartWanted(Message):
    """Enter on the strategies."""


@dataclass
class StartChecked(Message):
    """What was looked up before a start: other experiments that train on this machine."""

    running: tuple[str, ...]


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
    """A stop, retry or deletion was asked for: a sentence on what came of it."""

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


# Live


@dataclass
class RequestTaken(Message):
    """A request was left for the supervisor: ``stop``, ``kill`` or ``retry`` of a run, or of all
    where ``run`` is empty."""

    action: str
    run: str


@dataclass
class RequestRefused(Message):
    """A request could not be left; ``sentence`` says why."""

    sentence: str
