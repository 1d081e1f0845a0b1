"""Everything that can go wrong, told in the user's words, with the exit code it leads to.

A message names what is wrong, the value that is wrong, and what to do about it. Whoever shows an
error prints ``str(error)`` and exits with ``error.exit_code``; a traceback never reaches a user.
"""

from __future__ import annotations

from typing import ClassVar

EXIT_DONE = 0
EXIT_TRAINING_FAILED = 1
EXIT_WRONG_INPUT = 2
EXIT_SLOWER = 3
"""Of ``compare --fail-if-slower`` alone: everything went well, and a strategy became slower."""
EXIT_INTERRUPTED = 130


class ResnetTuiError(Exception):
    """The root of the tree: one clear sentence, a remedy in it, and an exit code."""

    exit_code: ClassVar[int] = EXIT_TRAINING_FAILED


class WrongInput(ResnetTuiError):
    """Something the user gave cannot be used as it is."""

    exit_code: ClassVar[int] = EXIT_WRONG_INPUT


class SettingError(WrongInput):
    """One setting has a value that cannot be used.

    ``field`` is the name of the setting, so that a form can put the message beside its field.
    """

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class ConfigFileError(SettingError):
    """A file of settings is at fault, not what was typed; the message begins with its path."""


class DatasetError(WrongInput):
    """A folder cannot be trained on."""


class WeightsError(WrongInput):
    """Pretrained weights cannot be found, read or fitted to the model."""


class CheckpointError(WrongInput):
    """A checkpoint cannot be read, or does not fit what is to be done with it."""


class StrategyError(WrongInput):
    """A strategy is unknown, or cannot run on this machine."""


class ExperimentError(WrongInput):
    """An experiment cannot be found, created, opened or deleted."""


class JournalError(ResnetTuiError):
    """A journal cannot be written; what was measured so far is kept."""


class TrainingError(ResnetTuiError):
    """A training process ended without finishing its work."""


class DamagedImages(TrainingError):
    """Too many images of a dataset cannot be decoded."""


class Interrupted(ResnetTuiError):
    """The user asked for the end."""

    exit_code: ClassVar[int] = EXIT_INTERRUPTED
