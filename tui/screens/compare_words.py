"""The lines around the table of the comparison: head, progress, legend, what was equal. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from engine.journal.views import ExperimentView, PhaseView
from engine.plan.text import clean
from engine.report.comparison import Comparison, Held, Row
from tui.widgets import format as show
from tui.widgets.fitting import at_word, joined, wrapped
from tui.widgets.line import heading

VIEWS = {"equal": "equal global batch", "best": "each at its best batch"}

EVIDENCE = "i evidence"

_BAD = ("failed", "stopped", "crashed")


def title(name: str, comparison: Comparison, others: int, width: int) -> Content:
    """``Compare ──────── each at its best batch · 2026-11-20_153211_hymenoptera``."""
    view = VIEWS[comparison.view]
    if len(comparison.views) > 1:
        other = next(each for each in comparison.views if each != comparison.view)
        view += f" (w: {VIEWS[other]})" if width >= 120 else " (w changes)"
    pieces = [view, clean(name) + (f" + {others}" if others else "")]
    while pieces and len("Compare  ") + len(" · ".join(pieces)) + 3 > width:
        pieces.pop()
    return heading("Compare", width, " · ".join(pieces))


def verdict(sentence: str, width: int, rows: int) -> list[Content]:
    """The sentence above the table, in at most ``rows`` lines."""
    lines = wrapped(clean(sentence), width - 2)
    if len(lines) > rows:
        lines = [*lines[: rows - 1], at_word(" ".join(lines[rows - 1 :]), width - 2)]
    return [
        Content.assemble(("▌ ", "$accent"), (line, "bold $foreground")) for line in lines if line
    ]


def remarks(comparison: Comparison, width: int, rows: int) -> list[Content]:
    """What must be known before rows are compared, as much of it as ``rows`` lines hold."""
    told = [wrapped("! " + clean(each), width, "  ") for each in comparison.remarks]
    lines = [line for each in told for line in each]
    if len(lines) > rows > 0:
        lines = lines[:rows]
        lines[-1] = at_word(lines[-1], max(8, width - len(" … (i)"))).removesuffix(" …") + " … (i)"
    return [
        Content.assemble((line[:1], "bold $warning"), (line[1:], "$foreground"))
        for line in lines[: max(0, rows)]
    ]


def held(found: Sequence[Held], width: int) -> Content:
    """``equal: initial weights, split · differs: optimiser steps         i evidence``."""
    if not found:
        return Content("")
    room = width - len(EVIDENCE) - 2
    line = Content("")
    # What differs must not be the part that is cut off, and each part says something.
    states = [state for state in LOOKS if any(each.constancy == state for each in found)]
    for place, state in enumerate(states):
        sign, word, colour = LOOKS[state]
        names = [clean(each.what) for each in found if each.constancy == state]
        later = sum(len(LOOKS[each][1]) + 8 for each in states[place + 1 :])
        lead = f"{'   ' if place else ''}{sign} {word}: "
        told = _listed(names, room - line.cell_length - len(lead) - later)
        line = Content.assemble(line, (lead, f"bold {colour}"), (told, "$quiet"))
    line = line.truncate(room, ellipsis=True)
    gap = " " * max(1, width - line.cell_length - len(EVIDENCE))
    return Content.assemble(
        line, gap, ("i", "bold $footer-key-foreground"), (" evidence", "$quiet")
    )


def _listed(names: Sequence[str], room: int) -> str:
    """As many names as fit, and how many more there are."""
    for shown in range(len(names), 0, -1):
        rest = len(names) - shown
        text = ", ".join(names[:shown]) + (f" +{rest}" if rest else "")
        if len(text) <= room:
            return text
    return str(len(names))


LOOKS = {
    "differs": ("≠", "differs", "$warning"),
    "unknown": ("?", "unknown", "$quiet"),
    "equal": ("=", "equal", "$success"),
}


def legend(
    width: int,
    *,
    marked: bool,
    sorted_by: str,
    across: tuple[int, int, int] | None,
    repeats: bool,
    added: Sequence[tuple[str, str]] = (),
) -> Content:
    """``▲ best  ▼ worst   ← → columns 1–6 of 21   sorted by images/s, best first``.

    ``added`` are the letters of other experiments, and their names.
    """
    pieces = []
    if marked:
        best = Content.assemble(("▲", "bold $success"), (" best", "$quiet"))
        worst = Content.assemble(("▼", "bold $warning"), (" worst", "$quiet"))
        pieces.append(Content("  ").join([best, worst]))
    if across is not None:
        first, last, all_ = across
        keys = ("← →", "bold $footer-key-foreground")
        which = f"columns {first}–{last}" if last > first else f"column {first}"
        pieces.append(Content.assemble(keys, (f" {which} of {all_}", "$quiet")))
    if sorted_by:
        pieces.append(Content.styled(sorted_by, "$quiet"))
    for letter, name in added:
        pieces.append(Content.assemble((letter, "bold $accent"), (f" {clean(name)}", "$quiet")))
    if repeats and not added:
        pieces.append(Content.styled("▸ repeats in a row", "$quiet"))
    return joined(pieces, width, "   ")


def of_row(row: Row | None, width: int, added: str = "") -> Content:
    """Of the row under the cursor: why it failed, else what the diagnosis says of it.

    ``added`` names the experiment that it comes from, where it is not the shown one.
    """
    if row is None:
        return Content("")
    figures = row.figures
    name = clean(figures.name) + (f" of {clean(added)}" if added else "")
    if figures.state in _BAD:
        why = f": {clean(figures.reason)}" if figures.reason else ""
        return Content.styled(at_word(f"{name} {figures.state}{why}", width), "$error")
    told = figures.comment or ("" if not added else "–")
    if not told:
        return Content("")
    return Content.assemble(
        (f"{name}: ", "$quiet"), at_word(clean(told), max(8, width - len(name)))
    )


def progress(view: ExperimentView, alive: bool, now: float, width: int) -> Content:
    """What is being done, while something is: a run, or the search for a batch size."""
    if not alive:
        return Content("")
    runs = view.runs
    ended = sum(run.state not in ("queued", "running") for run in runs)
    running = next((run for run in runs if run.state == "running"), None)
    pieces = [f"{ended} of {len(runs)} runs over"]
    if view.preparing is not None:
        pieces = [*_preparing(view, view.preparing, now), *pieces]
    elif running is not None:
        of = f", repeat {running.repeat + 1}" if any(run.repeat for run in runs) else ""
        epochs = f"/{running.ready.epochs}" if running.ready is not None else ""
        pieces.insert(0, f"{clean(running.strategy)}{of} trains, epoch {running.epoch + 1}{epochs}")
    waiting = len(view.queue)
    if waiting:
        pieces.append(f"{waiting} waiting")
    first, *rest = pieces
    words = [Content(at_word(first, width - 2)), *(Content.styled(e, "$quiet") for e in rest)]
    return Content.assemble(("● ", "$success"), joined(words, width - 2, " · "))


def _preparing(view: ExperimentView, doing: PhaseView, now: float) -> list[str]:
    """``finding the best batch of ddp: 128, 12 s``, and ``32, 64 tried``."""
    pieces = [f"{clean(doing.name)}, {show.seconds(max(0.0, now - doing.started))}"]
    search = next((each for each in view.searches if each.found is None), None)
    if search is not None and search.tried:
        pieces.append(f"{', '.join(str(each.batch_size) for each in search.tried)} tried")
    return pieces
