"""The values of settings as text, as files hold them, and back.

``parse`` and ``show`` are each other's inverse: what a form shows of a value can be typed again.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from functools import cache
from typing import Any, get_origin, get_type_hints

from engine.errors import SettingError
from engine.plan.config import Settings, declarations
from engine.plan.declaration import Declaration, check, flag

_LARGEST = 2**53
_YES = frozenset(("yes", "true", "on", "1", "y"))
_NO = frozenset(("no", "false", "off", "0", "n"))
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION_PART = re.compile(r"(\d+(?:\.\d*)?(?:e[+-]?\d+)?|\.\d+)\s*([smhd]?)\s*", re.IGNORECASE)


def parse(name: str, text: str) -> Any:
    """The value that ``text`` means for the setting ``name``; raises ``SettingError``.

    Empty text, ``auto``, ``off`` and ``none`` are ``None`` where the setting may be left to itself.
    """
    declared = declarations()[name]
    text = text.strip()
    if may_be_none(name) and text.lower() in ("", "auto", "none", "off"):
        return None
    if not text:
        raise _wrong(name, declared, text)
    try:
        value = _reader(name)(text)
    except ValueError:
        raise _wrong(name, declared, text) from None
    check(name, value, declared)
    return value


def from_data(name: str, value: Any) -> Any:
    """The value that a TOML value means for the setting ``name``; raises ``SettingError``."""
    declared = declarations()[name]
    kind = kind_of(name)
    if isinstance(value, str) and (may_be_none(name) or is_duration(name)):
        return parse(name, value)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value) if abs(value) < _LARGEST else math.inf
    elif isinstance(value, list) and all(type(each) is int for each in value):
        value = tuple(value)
    if type(value) is not (get_origin(kind) or kind):
        raise _wrong(name, declared, str(value))
    check(name, value, declared)
    return value


def show(name: str, value: Any) -> str:
    """What a form shows for ``value``: ``parse`` reads it back."""
    declared = declarations()[name]
    if value is None:
        return declared.none
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ",".join(str(each) for each in value)
    if is_duration(name):
        return _show_duration(value)
    return repr(value) if isinstance(value, float) else str(value)


def parse_duration(text: str) -> float:
    """Seconds from ``90``, ``90s``, ``5m``, ``1h30m`` or ``2h``; raises ``ValueError``."""
    seconds = 0.0
    end = 0
    text = text.strip()
    for part in _DURATION_PART.finditer(text):
        if part.start() != end:
            break
        end = part.end()
        seconds += float(part[1]) * _SECONDS[part[2].lower() or "s"]
    if not text or end != len(text) or not math.isfinite(seconds):
        raise ValueError(text)
    return seconds


def may_be_none(name: str) -> bool:
    """Whether a setting can be left to itself."""
    return type(None) in getattr(_types()[name], "__args__", ())


def is_duration(name: str) -> bool:
    """Whether a setting is a time, which people write as ``5m``."""
    return declarations()[name].unit == "s"


def kind_of(name: str) -> Any:
    """The type of a setting's values, ``None`` aside."""
    kind = _types()[name]
    arguments = [each for each in getattr(kind, "__args__", ()) if each is not type(None)]
    return arguments[0] if may_be_none(name) else kind


@cache
def _types() -> dict[str, Any]:
    return get_type_hints(Settings)


def _reader(name: str) -> Callable[[str], Any]:
    if is_duration(name):
        return parse_duration
    readers: dict[Any, Callable[[str], Any]] = {str: str, int: int, float: float, bool: _yes_or_no}
    return readers.get(kind_of(name), _numbers)


def _yes_or_no(text: str) -> bool:
    if text.lower() in _YES | _NO:
        return text.lower() in _YES
    raise ValueError(text)


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(","))


def _wrong(name: str, declared: Declaration, text: str) -> SettingError:
    shown = f"{declared.label} ({flag(name)})"
    is_what = f"is {text[:60]!r}" if text else "is empty"
    return SettingError(name, f"{shown} {is_what}; give {_wanted(name, declared)}")


def _wanted(name: str, declared: Declaration) -> str:
    if is_duration(name):
        return "a time such as 90s, 5m or 2h"
    if kind_of(name) is bool:
        return "yes or no"
    if kind_of(name) is int:
        return "a whole number"
    if kind_of(name) is float:
        return "a number"
    if kind_of(name) is str:
        return f"one of {', '.join(declared.choices)}" + (
            " or a path" if declared.open_choices else ""
        )
    return f"numbers with commas between them, as {declared.metavar}"


def _show_duration(seconds: float) -> str:
    for unit in ("h", "m"):
        whole, rest = divmod(seconds, _SECONDS[unit])
        if rest == 0 and 0 < whole < 1e6:
            return f"{int(whole)}{unit}"
    return f"{int(seconds)}s" if seconds.is_integer() else f"{seconds!r}s"
