"""The messages of Setup: its panes tell its screen, and threads answer; each has one handler."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from engine.plan.defaults import Resolved
    from engine.plan.machine import Machine
    from tui.folders import Listing


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
    """What was looked up before a start: other experiments that train on this machine, and why
    the disk has too little room for the checkpoints, if so."""

    running: tuple[str, ...]
    lacking: str = ""


@dataclass
class FreeKnown(Message):
    """Bytes that are free where experiments lie; ``None`` where that cannot be told."""

    free: int | None
