"""What a network takes an image for, as bars."""

from __future__ import annotations

from textual.content import Content

from engine.journal.predictions import Guess
from tui.widgets import format as show
from tui.widgets.line import bar

_PERCENT = 8
"""Cells of ``100.0 %`` and a space."""


def guess_lines(guesses: tuple[Guess, ...], truth: str | None, width: int) -> list[Content]:
    """A line per guess, the best first; ``truth``: the true class, ``None`` where unknown.

    Right and wrong are told by a sign as well as by the colour.
    """
    room = max(8, min(32, width // 3))
    lines = []
    for place, guess in enumerate(guesses):
        is_true = truth is not None and guess.name == truth
        mark = "✓ " if is_true else "✗ " if place == 0 and truth is not None else "  "
        colour = "$success" if is_true else "$error" if mark == "✗ " else "$primary"
        name = guess.name if len(guess.name) <= room else guess.name[: room - 1] + "…"
        lines.append(
            Content.assemble(
                (mark, colour),
                (name.ljust(room), "bold $foreground" if place == 0 else "$foreground"),
                " ",
                bar(guess.probability, max(4, width - room - 3 - _PERCENT), colour),
                (show.percent(guess.probability).rjust(_PERCENT), "$foreground"),
            )
        )
    return lines


def truth_line(guesses: tuple[Guess, ...], truth: str | None) -> Content:
    """The true class, and whether the first guess, or another one, is it."""
    if truth is None:
        return Content.styled("true class: not known", "$quiet")
    place = next((n for n, each in enumerate(guesses, start=1) if each.name == truth), None)
    said = {None: f"not among the best {len(guesses)}", 1: "right"}.get(
        place, f"guess {place} of {len(guesses)}"
    )
    colour = "$success" if place == 1 else "$error"
    return Content.assemble(
        ("true class: ", "$quiet"), (truth, "$foreground"), ("  " + said, colour)
    )
