"""The declarations of ``Settings`` as flags of a command line."""

from __future__ import annotations

import argparse
from collections.abc import Collection
from dataclasses import fields
from functools import partial
from typing import Any

from engine.plan.config import Settings, declarations
from engine.plan.declaration import Declaration, flag
from engine.plan.values import is_duration, kind_of, parse, show


def add_flags(parser: argparse.ArgumentParser, shown: Collection[str] | None = None) -> None:
    """Gives ``parser`` a flag for every setting; a flag that is not given leaves no trace.

    ``shown``: the settings of which the help tells (default: all). A value that cannot be used
    raises ``SettingError`` out of ``parse_args``.
    """
    # A heading with words of its own stands in the help even where nothing below it does.
    told = {each.group for name, each in declarations().items() if shown is None or name in shown}
    words = {
        "switches": "what a strategy fixes itself stays as it has it",
        "recipe": "how weights follow their gradients",
    }
    about = {group: each for group, each in words.items() if group in told}
    groups = {
        "main": parser.add_argument_group("training"),
        "switches": parser.add_argument_group("switches of strategies", about.get("switches")),
        "recipe": parser.add_argument_group("learning", about.get("recipe")),
        "images": parser.add_argument_group("training images"),
        "saving": parser.add_argument_group("checkpoints"),
        "more": parser.add_argument_group("more about training"),
    }
    for name, declared in declarations().items():
        group = groups[declared.group]
        help_ = _help(name, declared) if shown is None or name in shown else argparse.SUPPRESS
        if kind_of(name) is bool:
            group.add_argument(
                flag(name),
                *declared.aliases,
                action=argparse.BooleanOptionalAction,
                default=argparse.SUPPRESS,
                help=help_,
            )
        else:
            group.add_argument(
                flag(name),
                *declared.aliases,
                type=partial(parse, name),
                nargs="?" if declared.bare else None,
                const=parse(name, declared.bare) if declared.bare else None,
                metavar=_metavar(name, declared),
                default=argparse.SUPPRESS,
                help=help_,
            )


def chosen(namespace: argparse.Namespace) -> dict[str, Any]:
    """The settings that were given as flags, and only those."""
    given = vars(namespace)
    return {name: given[name] for name in declarations() if name in given}


def _metavar(name: str, declared: Declaration) -> str:
    if declared.metavar:
        return declared.metavar
    if declared.choices:
        return "|".join(declared.choices)
    return "N" if kind_of(name) is int else "X"


def _help(name: str, declared: Declaration) -> str:
    default = next(each.default for each in fields(Settings) if each.name == name)
    notes = []
    if declared.unit and declared.unit not in declared.about and not is_duration(name):
        notes.append(f"in {declared.unit}")
    if (bounds := _bounds(declared)) and not declared.choices:
        notes.append(bounds)
    if default is not None or declared.none:
        notes.append(f"default {show(name, default)}")
    text = declared.about + (f" ({', '.join(notes)})" if notes else "")
    return text.replace("%", "%%")


def _bounds(declared: Declaration) -> str:
    """``0 to 256``, ``from 1``, ``above 0`` or nothing."""
    low = declared.minimum
    if declared.maximum is None:
        if declared.above is not None:
            return f"above {declared.above:.12g}"
        return "" if low is None else f"from {low:.12g}"
    if low is not None:
        return f"{low:.12g} to {declared.maximum:.12g}"
    return f"above {declared.above or 0:.12g}, at most {declared.maximum:.12g}"
