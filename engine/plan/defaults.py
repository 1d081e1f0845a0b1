"""Where a training's settings come from: flags, the dataset's defaults, the user's files, ours.

One recipe counts, that of the place that counts most of those which name one; ``none`` is a name
too. What it sets stands directly below what that place itself says.

A dataset folder may carry a ``resnet-tui.toml``::

    [training]
    image_size = 32
    flip = false

It holds defaults of training and nothing else: a folder that somebody was given must not choose
what is run, which files are read, or how the machine is used. The user's own files may hold more:
see ``engine.plan.userfiles``.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from engine.errors import SettingError
from engine.plan.config import Settings, declarations
from engine.plan.declaration import flag
from engine.plan.recipes import settings_of
from engine.plan.text import clean
from engine.plan.tomlfile import TRAINING, table, tables_of, value_of, wrong
from engine.plan.userfiles import FILE, USER_FILE, here, of_user, training_defaults

FROM_FLAG = "flag"
FROM_DATASET = f"{FILE} of the dataset"
FROM_HERE = f"./{FILE}"
FROM_USER = f"your {USER_FILE}"
FROM_US = "default"
FROM_RECIPE = "recipe "
"""With the recipe's name behind it."""

_OF_MACHINES = ("device", "gpus", "nproc", "workers", "hang_timeout", "memory_budget", "price")
"""Settings that belong to a machine, which a dataset knows nothing of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    settings: Settings
    sources: dict[str, str]
    """For each setting one of ``FROM_FLAG``, ``FROM_DATASET``, ``FROM_HERE``, ``FROM_USER``,
    ``FROM_US`` and ``FROM_RECIPE`` with a recipe's name."""


def resolve(dataset: Path | None, given: dict[str, Any]) -> Resolved:
    """The settings for a training on ``dataset``, where ``given`` are those of the user.

    A path to weights becomes absolute. Raises ``SettingError``: a ``ConfigFileError``, which names
    the file, where one is at fault.
    """
    values: dict[str, Any] = {}
    sources = dict.fromkeys(declarations(), FROM_US)
    for source, layer in reversed(_with_recipe([(FROM_FLAG, given), *_files(dataset)])):
        if layer.get("device") in ("cpu", "mps"):
            values.pop("gpus", None)  # Of a file that counts less: numbers of GPUs left alone.
        if layer.get("gpus") and "device" not in layer:
            values.pop("device", None)
        values |= layer
        sources |= dict.fromkeys(layer, source)
    settings = Settings(**values)
    if settings.gpus is not None and settings.device in ("cpu", "mps"):
        raise SettingError(
            "gpus",
            f"GPUs (--gpus) are numbers of CUDA devices, and device (--device) is "
            f"{settings.device}; leave one of them out",
        )
    if settings.weights not in declarations()["weights"].choices:
        file = _weights_file(settings.weights, sources["weights"])
        settings = replace(settings, weights=str(file))
    sources |= dict.fromkeys(declarations().keys() - values.keys(), FROM_US)
    return Resolved(settings=settings, sources=sources)


def asked_for(sources: dict[str, str]) -> set[str]:
    """The settings that the user asked for in this training: not those of a file, of a recipe, nor
    ours."""
    elsewhere = (FROM_DATASET, FROM_HERE, FROM_USER, FROM_US)
    return {
        name
        for name in declarations()
        if sources.get(name) not in elsewhere and not sources.get(name, "").startswith(FROM_RECIPE)
    }


def dataset_defaults(folder: Path) -> dict[str, Any]:
    """The settings in the folder's ``resnet-tui.toml``; none where there is no such file."""
    path = folder / FILE
    tables = tables_of(path)
    for name in tables:
        if name != TRAINING:
            raise wrong(
                path,
                name,
                f"{clean(name)[:60]!r} is not for a dataset, whose file may hold training defaults "
                f"only, in a table [{TRAINING}]: move it to the command line",
            )
    values = {}
    for name, value in table(path, tables, TRAINING).items():
        if name in _OF_MACHINES:
            raise wrong(
                path,
                name,
                f"{name} belongs to a machine, not to a dataset: give {flag(name)}, or write it "
                f"into {FROM_HERE} where you work, or your {USER_FILE}",
            )
        if name == "weights" and value not in declarations()[name].choices:
            raise wrong(
                path, name, "weights may be none or imagenet here; give a file with --weights"
            )
        values[name] = value_of(path, name, value)
    return values


def _files(dataset: Path | None) -> list[tuple[str, dict[str, Any]]]:
    """What the files say, those that count more first."""
    layers = []
    if dataset is not None:
        layers.append((FROM_DATASET, dataset_defaults(dataset)))
    if dataset is None or not _is_same(dataset / FILE, here()):
        layers.append((FROM_HERE, training_defaults(here())))
    layers.append((FROM_USER, training_defaults(of_user())))
    return layers


def _with_recipe(layers: list[tuple[str, dict[str, Any]]]) -> list[tuple[str, dict[str, Any]]]:
    """The layers, and directly below the first that names a recipe what the recipe sets."""
    for place, (_, layer) in enumerate(layers):
        if "recipe" in layer:
            name = layer["recipe"]
            recipe = (FROM_RECIPE + name, dict(settings_of(name)))
            return [*layers[: place + 1], recipe, *layers[place + 1 :]]
    return layers


def _is_same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False


def _weights_file(text: str, source: str) -> Path:
    path = Path(os.path.expanduser(text)).absolute()  # noqa: PTH111 (~nobody is left as it is)
    if not path.is_file():
        raise SettingError(
            "weights",
            f"there is no file {clean(str(path))} to start from"
            + (f", as {source} has it" if source != FROM_FLAG else "")
            + "; weights (--weights) may be none, imagenet, a checkpoint or a file of weights",
        )
    return path
