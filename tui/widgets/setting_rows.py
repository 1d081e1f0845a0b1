"""The lines of the settings form: fields, what is wrong with them, and groups that fold. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass

from textual.content import Content

from tui.widgets.value_input import Field

GROUPS = {
    "switches": "switches",
    "recipe": "learning",
    "images": "training images",
    "saving": "checkpoints",
    "more": "more",
}
"""The groups that fold, in their order, and what their lines say. All else is always there."""

REMARK = 18
"""Cells before what is wrong with a value: a sentence needs the room."""

_TYPED = ("you", "flag")
_COUNT = 4
"""Cells of how many settings a group has."""


@dataclass(frozen=True, slots=True)
class Row:
    """A line: a field, a line of what is wrong with it, or the head of a group."""

    field: Field | None = None
    problem: str = ""
    head: str = ""
    """The group that this line opens and closes."""


def rows(fields: Sequence[Field], opened: Set[str], width: int) -> list[Row]:
    """The lines of all that is to be seen; ``width``: cells for a sentence on what is wrong."""
    made = [row for each in fields if each.group not in GROUPS for row in _of(each, width)]
    for group in GROUPS:
        inside = [each for each in fields if each.group == group]
        if inside:
            made.append(Row(head=group))
        if group in opened:
            made += [row for each in inside for row in _of(each, width)]
    return made


def _of(field: Field, width: int) -> Iterator[Row]:
    yield Row(field)
    for line in textwrap.wrap(field.problem, max(24, width)):
        yield Row(field, line)


def head(group: str, fields: Sequence[Field], opened: bool, label_width: int) -> Content:
    """The line of a group: its name, how many settings it has and, while it is closed, which of
    them are not as by default, those first that were typed or given as flags."""
    inside = [each for each in fields if each.group == group]
    title = f"{'▾' if opened else '▸'} {GROUPS[group]}"
    parts: list[Content | tuple[str, str]] = [
        (title.ljust(label_width), "$quiet"),
        (str(len(inside)).ljust(_COUNT), "$quiet"),
    ]
    changed = [] if opened else [each for each in inside if each.source not in ("", "default")]
    for number, each in enumerate(sorted(changed, key=lambda each: each.source not in _TYPED)):
        comma = ", " if number else ""
        style = "$accent" if each.source in _TYPED else "$quiet"
        parts.append((f"{comma}{each.label} {each.text or 'no limit'}", style))
    return Content.assemble(*parts)
