"""Runs of other experiments beside those of the shown one: a list to tick them in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from textual.screen import Screen

from engine.errors import ResnetTuiError
from engine.plan.text import clean
from tui import compare_messages as messages
from tui.background import in_background
from tui.compared import Added
from tui.experiments import ExperimentRow, rows
from tui.screens.picker import Item, Picker

if TYPE_CHECKING:
    from tui.app import ResnetTuiApp


def list_older(screen: Screen[None], parent: Path) -> None:
    """Looks for experiments in a thread. Ends in ``OlderListed``."""
    in_background(screen, lambda: messages.OlderListed(rows(parent)), "experiments")


def ask_which(
    app: ResnetTuiApp,
    screen: Screen[None],
    found: tuple[ExperimentRow, ...],
    shown: Path,
    added: tuple[Added, ...],
) -> None:
    """Ticks for all but the shown one; what was ticked is read in a thread."""
    others = [row for row in found if row.directory != shown.resolve()]
    if not others:
        app.tell("there is no other experiment yet")
        return
    items = [
        Item(
            str(row.directory),
            row.name,
            f"{row.state} · {clean(row.model)} · {', '.join(row.strategies)}",
        )
        for row in others
    ]
    ticked = frozenset(str(each.experiment.directory) for each in added)

    def answered(answer: str | frozenset[str] | None) -> None:
        if isinstance(answer, frozenset) and answer != ticked:
            wanted = [Path(item.id) for item in items if item.id in answer]
            in_background(screen, lambda: _load(wanted, added), "older")

    app.push_screen(Picker("Add runs of other experiments", items, ticked=ticked), answered)


def _load(wanted: list[Path], added: tuple[Added, ...]) -> messages.OlderLoaded:
    """Those that are there already stay as they are."""
    known = {each.experiment.directory: each for each in added}
    taken, problems = [], []
    for directory in wanted:
        try:
            taken.append(known.get(directory) or Added(directory))
        except ResnetTuiError as error:
            problems.append(str(error))
    return messages.OlderLoaded(tuple(taken), tuple(problems))
