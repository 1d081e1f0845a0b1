"""Files of the user's own: defaults of training, and strategies with names.

``./resnet-tui.toml`` counts before ``config.toml`` in the user's configuration directory::

    [training]
    workers = 8

    [strategies.ddp-bf16]
    explanation = "what we train with"
    base = "ddp"
    precision = "bf16"
"""

from __future__ import annotations

import os
import re
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, get_args

from engine.plan import places, values
from engine.plan.rules import of_switches_alone
from engine.plan.strategies import ALIASES, STRATEGIES, SWITCHES, Parallelism, Strategy
from engine.plan.takes import means_something
from engine.plan.text import clean
from engine.plan.tomlfile import TRAINING, table, tables_of, value_of, wrong

FILE = "resnet-tui.toml"
USER_FILE = "config.toml"

_STRATEGIES = "strategies"
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")
_LONGEST = 100
"""Characters of an explanation: it stands on one line."""


def here() -> Path:
    """The file of the folder that the program was called in."""
    try:
        return Path.cwd() / FILE
    except OSError:
        return Path(FILE)  # The folder is gone, and its file with it.


def of_user() -> Path:
    return places.config() / USER_FILE


def training_defaults(path: Path) -> dict[str, Any]:
    """The settings in a file of the user's own. Raises ``ConfigFileError``."""
    tables = tables_of(path)
    for name in tables:
        if name not in (TRAINING, _STRATEGIES):
            raise wrong(
                path,
                name,
                f"there is no table {clean(name)!r}; it may be [training] or [strategies.NAME]",
            )
    training = table(path, tables, TRAINING)
    found = {name: value_of(path, name, value) for name, value in training.items()}
    weights = found.get("weights", "none")
    if weights not in ("none", "imagenet"):
        # As the file means it, from wherever the program is called.
        found["weights"] = str(path.parent / os.path.expanduser(weights))  # noqa: PTH111
    return found


def user_strategies() -> tuple[Strategy, ...]:
    """The strategies of both files; of two with one name the nearer file's."""
    found = {each.name: each for each in _strategies_in(of_user())}
    found |= {each.name: each for each in _strategies_in(here())}
    return tuple(found.values())


@cache
def _strategies_in(path: Path) -> tuple[Strategy, ...]:
    tables = table(path, tables_of(path), _STRATEGIES)
    return tuple(_strategy(path, name, value) for name, value in tables.items())


def _strategy(path: Path, name: str, value: Any) -> Strategy:
    shown = f"strategy {clean(name)[:60]!r}"
    if not _NAME.fullmatch(name):
        raise wrong(
            path,
            name,
            f"{shown} cannot be called so; take up to 40 of a-z, 0-9, '-', '_' and "
            "'.', a letter or digit first",
        )
    if name in ALIASES or any(each.name == name for each in STRATEGIES):
        raise wrong(path, name, f"{shown} is there already; choose another name")
    if not isinstance(value, dict):
        raise wrong(path, name, f"write [{_STRATEGIES}.{name}] on a line above its switches")
    keys = dict(value)
    base = _base(path, shown, keys)
    explanation = _explanation(path, shown, keys)
    switches = {key: _switch(path, shown, key, keys[key]) for key in keys}
    made = replace(base, name=name, explanation="", **switches)
    for key in switches:
        if getattr(made, key) is not None and not means_something(made, key):
            raise wrong(
                path,
                key,
                f"{shown}: {key} means nothing to parallelism {made.parallelism}; "
                "leave it out, or choose another parallelism",
            )
    if why := of_switches_alone(made):
        raise wrong(path, name, f"{shown}: {why}")
    return replace(made, explanation=explanation or _described(made, base, switches))


def _base(path: Path, shown: str, keys: dict[str, Any]) -> Strategy:
    """What the strategy starts from; takes its keys out."""
    named, parallelism = keys.pop("base", None), keys.pop("parallelism", None)
    if named is not None and parallelism is not None:
        raise wrong(path, "base", f"{shown} has both base and parallelism; leave one out")
    if named is not None:
        for each in STRATEGIES:
            if each.name == (ALIASES.get(named, named) if isinstance(named, str) else ""):
                return each
        names = ", ".join(each.name for each in STRATEGIES)
        raise wrong(
            path, "base", f"{shown}: base is {clean(str(named))[:60]!r}; choose from {names}"
        )
    kinds = get_args(Parallelism)
    if parallelism not in (None, *kinds):
        raise wrong(
            path,
            "parallelism",
            f"{shown}: parallelism is {clean(str(parallelism))[:60]!r}; "
            f"choose from {', '.join(kinds)}",
        )
    return Strategy(name="", explanation="", parallelism=parallelism or "none")


def _explanation(path: Path, shown: str, keys: dict[str, Any]) -> str:
    text = keys.pop("explanation", "")
    if not isinstance(text, str):
        raise wrong(path, "explanation", f"{shown}: explanation is no text; put it in quotes")
    return clean(text.strip())[:_LONGEST]


def _switch(path: Path, shown: str, name: str, value: Any) -> Any:
    """A switch's value; ``auto`` leaves it to the settings."""
    if name not in SWITCHES:
        raise wrong(
            path,
            name,
            f"{shown}: there is no switch {clean(name)[:60]!r}; it may be base, "
            f"parallelism, explanation, {', '.join(SWITCHES)}",
        )
    found = value_of(path, name, value, f"{shown}: ")
    return None if found == "auto" else found


def _described(made: Strategy, base: Strategy, switches: dict[str, Any]) -> str:
    """What it is, from its switches: ``ddp, precision bf16``."""
    start = base.name or ("one device" if made.parallelism == "none" else made.parallelism)
    own = [
        f"{name.replace('_', ' ')} {values.show(name, value)}"
        for name, value in switches.items()
        if value is not None
    ]
    return clean(", ".join([start, *own]))[:_LONGEST]
