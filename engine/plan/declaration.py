"""What is known about a setting beside its type and default, and what its values must be."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Literal

from engine.errors import SettingError

Group = Literal["main", "switches", "recipe", "images", "saving", "more"]
"""In a form all but ``main`` is folded away. ``recipe``: how weights are learned; ``images``: what
is done to the images that they are learned from; ``saving``: checkpoints."""

_LARGEST = 2**53
"""Beyond this a whole number is no longer exact everywhere it is stored."""


@dataclass(frozen=True, slots=True)
class Declaration:
    """What is known about a setting beside its type and default."""

    about: str
    group: Group
    label: str
    choices: tuple[str, ...] = ()
    open_choices: bool = False
    """The choices are suggestions: any other text is a path."""
    minimum: float | None = None
    maximum: float | None = None
    above: float | None = None
    """The value must be greater than this (``minimum`` is inclusive)."""
    unit: str = ""
    metavar: str = ""
    distinct: bool = True
    """Numbers of a list must differ, and count from 0; otherwise they are sizes, from 1."""
    aliases: tuple[str, ...] = ()
    """Other flags for the same."""
    bare: str = ""
    """What the flag means where no value follows it; empty where one must."""
    none: str = ""
    """How ``None`` is shown in a form; empty where it means "no limit"."""


def setting(default: Any, about: str, *, label: str, group: Group = "more", **more: Any) -> Any:
    """A field of a dataclass, with its declaration."""
    declaration = Declaration(about=about, group=group, label=label, **more)
    return field(default=default, metadata={"declaration": declaration})


def flag(name: str) -> str:
    """A setting's name on the command line: ``batch_size`` is ``--batch-size``."""
    return "--" + name.replace("_", "-")


def check(name: str, value: Any, declared: Declaration) -> None:
    """Raises ``SettingError`` where ``value`` is of the right type but cannot be used."""
    if value is None or isinstance(value, bool):
        return
    shown = f"{declared.label} ({flag(name)})"
    if isinstance(value, str):
        wrong = _wrong_text(value, declared)
    elif isinstance(value, tuple):
        wrong = _wrong_list(value, declared)
    else:
        wrong = _wrong_number(value, declared)
    if wrong:
        raise SettingError(name, f"{shown} {wrong}")


def _wrong_text(value: str, declared: Declaration) -> str:
    if declared.choices and value not in declared.choices and not declared.open_choices:
        return f"is {value!r}; choose one of {', '.join(declared.choices)}"
    return "" if value else "is empty; leave it out for its default"


def _wrong_list(value: tuple[int, ...], declared: Declaration) -> str:
    shown = ",".join(str(each) for each in value) or "empty"
    if declared.distinct and (not value or len(set(value)) != len(value) or min(value) < 0):
        return f"is {shown}; name each once, counting from 0, as 0,2"
    if not declared.distinct and (not value or min(value) < 1):
        return f"is {shown}; give each stage 1 layer or more"
    return ""


def _wrong_number(value: float, declared: Declaration) -> str:
    if isinstance(value, int) and abs(value) > _LARGEST:
        return f"is {str(value)[:20]}...; that is too large a number"
    if not math.isfinite(value):
        return f"is {value}; give a number"
    if declared.above is not None and value <= declared.above:
        return f"is {value:.12g}; it must be above {declared.above:.12g}"
    if declared.minimum is not None and value < declared.minimum:
        return f"is {value:.12g}; it must be at least {declared.minimum:.12g}"
    if declared.maximum is not None and value > declared.maximum:
        return f"is {value:.12g}; it must be at most {declared.maximum:.12g}"
    return ""
