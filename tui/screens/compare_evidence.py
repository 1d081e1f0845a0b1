"""What was held constant between the rows, and by which evidence; how the table is to be read."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content

from engine.plan.text import clean
from engine.report.comparison import Comparison
from tui.feed import Snapshot
from tui.screens.compare_words import LOOKS, VIEWS
from tui.screens.paged import PagedScreen
from tui.widgets.fitting import wrapped
from tui.widgets.line import heading

WIDEST = 110

_READING = (
    "Throughput is compared in pairs of repeats that share a seed: the speed-up is the geometric "
    "mean of their ratios, its 95 % interval is corrected for the number of strategies.",
    "An interval within 1 % of even is a tie. With fewer than three repeats, or with an interval "
    "that holds even and is wider, it is undecided; the cell says how many repeats in all would "
    "settle it if the spread stays as it is.",
    "Rates are of training alone: starting up, warming up, compiling, validation and, where there "
    "is more than one, the first epoch are left out. Enter on a row shows them apart.",
    "A row stands for all repeats of a strategy that are done: the median of each figure, of the "
    "throughput the geometric mean.",
)


class CompareEvidence(PagedScreen):
    """Of the table that is shown."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("i,backspace,escape", "close", "back", key_display="i"),
    ]

    def __init__(self, known: Callable[[], Comparison | None]) -> None:
        super().__init__()
        self._known = known

    def title_of(self, snapshot: Snapshot, width: int) -> Content:
        known = self._known()
        return heading("Evidence", width, VIEWS[known.view] if known is not None else "")

    def lines_of(self, snapshot: Snapshot, width: int) -> list[Content]:
        known = self._known()
        return evidence(known, min(width, WIDEST)) if known is not None else []


def evidence(comparison: Comparison, width: int) -> list[Content]:
    """The verdict, all remarks, each thing that must be equal, and how to read the table."""
    lines = [Content.styled(e, "bold $foreground") for e in wrapped(comparison.verdict, width)]
    for each in comparison.remarks:
        lines += [Content.styled(e, "$warning") for e in wrapped(f"! {clean(each)}", width, "  ")]
    lines += [Content(""), heading("Held constant", width)]
    first = max((len(each.what) for each in comparison.held), default=0)
    first = min(first, width // 2)
    for state, (sign, word, colour) in LOOKS.items():
        for held in (each for each in comparison.held if each.constancy == state):
            label = f"{sign} {word:<8} {clean(held.what):<{first}}"
            room = max(20, width - len(label) - 2)
            parts = wrapped(clean(held.detail), room) if held.detail else [""]
            for place, part in enumerate(parts):
                lead = label if place == 0 else " " * len(label)
                lines.append(Content.assemble((lead, colour), f"  {part}"))
    lines += [Content(""), heading("How to read it", width)]
    for each in _READING:
        lines += [Content.styled(e, "$quiet") for e in wrapped(f"· {each}", width, "  ")]
    return lines
