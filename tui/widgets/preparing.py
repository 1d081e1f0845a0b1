"""What is done before a run: reading images, or searching a batch size with its tries. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from engine.journal.events import BatchTried
from engine.journal.views import PhaseView, SearchView
from engine.plan.text import clean
from tui.widgets import format as show
from tui.widgets.fitting import at_word
from tui.widgets.line import heading
from tui.widgets.tables import table


def preparing(
    phase: PhaseView, search: SearchView | None, now: float, width: int, height: int
) -> list[Content]:
    """What lasts, with its seconds, and the batch sizes that were tried, the newest at least."""
    what = doing(phase, now, max(8, width - 4))
    lines = [
        heading("Preparing", width),
        Content.assemble("  ", ("●", "bold $accent"), (f" {what}", "bold $foreground")),
    ]
    if search is not None and search.tried:
        lines += [Content(""), *tries(search.tried, width, max(1, height - len(lines) - 3))]
    return lines


def doing(phase: PhaseView, now: float, width: int = 1000) -> str:
    """``reading 397 images into memory, 3 s``; the seconds are there however narrow it is."""
    since = max(0.0, now - phase.started)
    told = f", {f'{since:.0f} s' if since < 60 else show.seconds(since)}"
    return at_word(clean(phase.name), width - len(told)) + told


def tries(tried: Sequence[BatchTried], width: int, height: int | None = None) -> list[Content]:
    """A row for each of the newest batch sizes, in the order in which they were tried.

    The best of all is marked; a last line says why one does not fit.
    """
    rates = [each.images_per_second or 0.0 for each in tried if each.fits]
    best = max(rates, default=0.0)
    rows = [
        (
            show.count(each.batch_size),
            show.rate(each.images_per_second) + (" ▲" if _is(each, best) else "  "),
            show.gib(each.peak_memory),
            "yes" if each.fits else "no",
            show.seconds(each.seconds),
        )
        for each in (tried if height is None else tried[-height:])
    ]
    lines = table(("batch", "images/s  ", "memory", "fits", "took"), rows, width)
    why = [each for each in tried if each.reason]
    if why:
        last = f"{show.count(why[-1].batch_size)}: {clean(why[-1].reason)}"
        lines.append(Content.styled("  " + at_word(last, max(8, width - 2)), "$quiet"))
    return lines


def _is(tried: BatchTried, best: float) -> bool:
    return tried.fits and best > 0.0 and tried.images_per_second == best
