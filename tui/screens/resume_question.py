"""What is asked before runs go on: from where, and what that costs. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tui.screens.question import Question
from tui.widgets import format as show

if TYPE_CHECKING:
    from engine.run.resume import Resumable

_LISTED = 6
"""Runs that a question names, each in a line."""


def question(name: str, found: Sequence[Resumable], now: float) -> Question:
    """About one run or several; with nothing saved, whether to begin anew."""
    kept = [each for each in found if each.found is not None]
    cancel = ("c", "cancel", "leave it")
    if not kept:
        return Question(
            f"Try {name} again?",
            "No checkpoint of it was saved. It is queued again in the same experiment and trains "
            "from its beginning; its new curves take the place of these.",
            [("r", "retry", "try again"), cancel],
            default="retry",
        )
    if len(found) == 1:
        text = (
            "Its curves go on where its last checkpoint was saved; what was trained after that is "
            "trained again."
        )
        if kept[0].given:
            text += f" It goes on as it did last: {', '.join(kept[0].given.values())}."
        go_on = f"go on from {_place(kept[0])}, saved {_ago(kept[0], now)}"
        anew = "from the beginning; new curves take the place of these"
    else:
        lines = [f"{each.plan.strategy.name}: {_place(each)}" for each in found[:_LISTED]]
        if len(found) > _LISTED:
            lines.append(f"and {len(found) - _LISTED} more")
        text = "\n".join(["Runs that are done stay as they are. The others:", *lines])
        go_on = "go on where they were"
        anew = "all of these from the beginning"
    return Question(
        f"Go on with {name}?",
        text,
        [("r", "resume", go_on), ("b", "retry", anew), cancel],
        default="resume",
    )


def _place(run: Resumable) -> str:
    """``step 1,200 of 9,000``."""
    if run.found is None:
        return "the beginning"
    return f"step {run.step:,}" + (f" of {run.of:,}" if run.of else "")


def _ago(run: Resumable, now: float) -> str:
    if run.found is None or now - run.found.saved < 1.0:
        return "just now"
    return f"{show.seconds(now - run.found.saved)} ago"
