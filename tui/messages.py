"""Every message of the dashboard; each has one handler."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from textual.message import Message


@dataclass
class ExperimentStarted(Message):
    """A supervisor holds its lock: show the experiment."""

    directory: Path


@dataclass
class StartRefused(Message):
    """An experiment could not be created or started; ``sentence`` says why and what to do."""

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
