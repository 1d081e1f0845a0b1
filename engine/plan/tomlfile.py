"""Files in which settings are written down, read and refused with sentences."""

from __future__ import annotations

import difflib
import tomllib
from pathlib import Path
from typing import Any

from engine.errors import ConfigFileError, SettingError
from engine.plan import values
from engine.plan.config import declarations
from engine.plan.text import clean

TRAINING = "training"
"""The table of training defaults."""

_LARGEST = 64 * 1024
"""Bytes of a file that is read as settings."""


def tables_of(path: Path) -> dict[str, Any]:
    """What the file holds; nothing where there is no such file. Raises ``ConfigFileError``."""
    try:
        if not path.is_file():
            return {}
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
    except OSError as error:
        raise _fault(
            path, f"cannot be read ({error.strerror}); allow reading it, or remove it"
        ) from error
    if len(data) > _LARGEST:
        raise _fault(path, "is larger than 64 kB; it holds a few lines of defaults")
    try:
        return tomllib.loads(data.decode("utf-8"))
    except UnicodeDecodeError:
        raise _fault(path, "is not UTF-8 text; save it as UTF-8") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise _fault(path, f"is no valid TOML: {clean(str(error))}; correct that place") from None


def table(path: Path, tables: dict[str, Any], name: str) -> dict[str, Any]:
    """One table of a file, empty where it is not there."""
    found = tables.get(name, {})
    if not isinstance(found, dict):
        raise wrong(path, name, f"write [{name}] on a line above the keys")
    return found


def value_of(path: Path, name: str, value: Any, where: str = "") -> Any:
    """A value of the file as the setting ``name`` has it."""
    known = declarations()
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"it may be {', '.join(known)}"
        raise wrong(path, name, f"{where}there is no setting {clean(name)[:60]!r}; {hint}")
    try:
        return values.from_data(name, value)
    except SettingError as error:
        raise wrong(path, name, f"{where}{clean(str(error))}") from None


def wrong(path: Path, name: str, sentence: str) -> ConfigFileError:
    """What is wrong with one key of the file."""
    return ConfigFileError(clean(name), f"{clean(str(path))}: {sentence}")


def _fault(path: Path, sentence: str) -> ConfigFileError:
    return ConfigFileError(path.name, f"{clean(str(path))} {sentence}")
