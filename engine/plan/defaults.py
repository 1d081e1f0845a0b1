"""Where a training's settings come from: flags, then the dataset's own defaults, then ours.

A dataset folder may carry a ``resnet-tui.toml``::

    [training]
    image_size = 32
    flip = false

It holds defaults of training and nothing else: a folder that somebody was given must not choose
what is run or which files are read.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from engine.errors import SettingError
from engine.plan import options
from engine.plan.config import Settings, declarations
from engine.plan.text import clean

FILE = "resnet-tui.toml"
FROM_FLAG = "flag"
FROM_DATASET = f"{FILE} of the dataset"
FROM_US = "default"

_TABLE = "training"
_LARGEST = 64 * 1024
"""Bytes of a file that is read as defaults."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    settings: Settings
    sources: dict[str, str]
    """For each setting one of ``FROM_FLAG``, ``FROM_DATASET`` and ``FROM_US``."""


def resolve(dataset: Path | None, given: dict[str, Any]) -> Resolved:
    """The settings for a training on ``dataset``, where ``given`` are those of the user.

    A path to weights becomes absolute. Raises ``SettingError``, which names the dataset's file
    where that is at fault.
    """
    ours = {} if dataset is None else dataset_defaults(dataset)
    settings = Settings(**{**ours, **given})
    if settings.gpus is not None and settings.device in ("cpu", "mps"):
        raise SettingError(
            "gpus",
            f"GPUs (--gpus) are numbers of CUDA devices, and device (--device) is "
            f"{settings.device}; leave one of them out",
        )
    if settings.weights not in declarations()["weights"].choices:
        settings = replace(settings, weights=str(_weights_file(settings.weights)))
    sources = {
        name: FROM_FLAG if name in given else FROM_DATASET if name in ours else FROM_US
        for name in declarations()
    }
    return Resolved(settings=settings, sources=sources)


def dataset_defaults(folder: Path) -> dict[str, Any]:
    """The settings in the folder's ``resnet-tui.toml``; none where there is no such file."""
    path = folder / FILE
    if not path.is_file():
        return {}
    shown = clean(str(path))
    tables = _read(path, shown)
    for name in tables:
        if name != _TABLE:
            raise SettingError(
                clean(name),
                f"{shown} has {clean(name)!r}; it may hold training defaults only, in a table "
                f"[{_TABLE}]: move it to the command line",
            )
    training = tables.get(_TABLE, {})
    if not isinstance(training, dict):
        raise SettingError(_TABLE, f"{shown}: write [{_TABLE}] on a line above the keys")
    return {name: _value(shown, name, value) for name, value in training.items()}


def _read(path: Path, shown: str) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
    except OSError as error:
        raise SettingError(
            FILE, f"{shown} cannot be read ({error.strerror}); allow reading it, or remove it"
        ) from error
    if len(data) > _LARGEST:
        raise SettingError(FILE, f"{shown} is larger than 64 kB; it holds a few lines of defaults")
    try:
        return tomllib.loads(data.decode("utf-8"))
    except UnicodeDecodeError:
        raise SettingError(FILE, f"{shown} is not UTF-8 text; save it as UTF-8") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise SettingError(
            FILE, f"{shown} is no valid TOML: {clean(str(error))}; correct that place"
        ) from None


def _value(shown: str, name: str, value: Any) -> Any:
    """A value of the dataset's file as a setting has it."""
    if name not in declarations():
        near = difflib.get_close_matches(name, declarations(), n=1)
        hint = f"did you mean {near[0]}?" if near else f"it may be {', '.join(declarations())}"
        raise SettingError(clean(name), f"{shown}: there is no setting {clean(name)!r}; {hint}")
    try:
        if name == "weights" and value not in declarations()[name].choices:
            raise SettingError(
                name, "weights may be none or imagenet here; give a file with --weights"
            )
        return options.from_data(name, value)
    except SettingError as error:
        raise SettingError(name, f"{shown}: {error}") from None


def _weights_file(text: str) -> Path:
    path = Path(os.path.expanduser(text)).absolute()  # noqa: PTH111 (~nobody is left as it is)
    if not path.is_file():
        raise SettingError(
            "weights",
            f"there is no file {clean(str(path))} to start from; weights (--weights) may be "
            f"none, imagenet or a checkpoint file",
        )
    return path
