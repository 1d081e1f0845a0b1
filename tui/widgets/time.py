"""Where the time of a step goes: the two ledgers as stacked bars, and what belongs to them. Pure.

Every part has a glyph of its own, so that colour only helps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from textual.content import Content

from engine.report.epochs import EpochTime
from engine.report.ledger import WORDS, Ledger
from engine.report.stall import Stall
from tui.widgets import format as show
from tui.widgets.fitting import flowed, joined
from tui.widgets.line import heading
from tui.widgets.stall import gauge, loader

LOOKS: dict[str, tuple[str, str]] = {
    "wait": ("░", "$series-wait"),
    "starved": ("░", "$series-wait"),
    "agree": ("▒", "$warning"),
    "peers": ("▒", "$warning"),
    "launch": ("█", "$series-train"),
    "compute": ("█", "$series-train"),
    "copy": ("▌", "$series-rate"),
    "forward": ("█", "$series-train"),
    "backward": ("▓", "$series-validation"),
    "pipeline": ("█", "$series-train"),
    "exchange": ("╱", "$series-speed"),
    "update": ("▄", "$series-time"),
    "other": ("·", "$quiet"),
    "idle": ("·", "$quiet"),
}
"""Glyph and colour of each part; no glyph comes twice in one ledger."""

_LABEL = 8
"""Cells before a bar."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Where the time of a run's latest steps went. Seconds, shares in 0..1, ``None`` unknown."""

    ledgers: tuple[tuple[str, Ledger], ...] = ()
    """By whose clock (``host``, ``device``), summed over ranks."""
    steps: int = 0
    """Steps that the ledgers are sums of, over all ranks."""
    ranks: int = 1
    stall: Stall | None = None
    median_step: float | None = None
    """Of the slowest rank, as is the next."""
    p95_step: float | None = None
    of_roofline: float | None = None
    last: EpochTime | None = None
    """The last epoch that ended."""
    at_hand: EpochTime | None = None


def summed(ledgers: Sequence[Ledger]) -> Ledger:
    """Of several ranks together, its parts in their order."""
    names = dict.fromkeys(part for each in ledgers for part, _ in each.parts)
    order = [name for name in WORDS if name in names]
    parts = tuple((name, sum(each.of(name) for each in ledgers)) for name in order)
    return Ledger(sum(each.seconds for each in ledgers), parts)


def stacked(ledger: Ledger, width: int) -> Content:
    """One line of ``width`` cells, each part as many as is its share."""
    total = ledger.seconds
    if not total > 0 or width < 1:
        return Content.styled("─" * max(0, width), "$faint")
    # Edges are rounded, not lengths: so that all is as long as the line.
    edges = accumulate((spent for _, spent in ledger.parts), initial=0.0)
    cells = [min(width, round(edge / total * width)) for edge in edges]
    pieces = []
    for (part, _), (begin, end) in zip(ledger.parts, pairwise(cells), strict=True):
        glyph, style = LOOKS[part]
        pieces.append((glyph * (end - begin), style))
    return Content.assemble(*pieces, ("·" * (width - cells[-1]), "$quiet"))


def legend(ledger: Ledger, steps: int) -> list[Content]:
    """``░ waiting for data  23 %  31 ms`` for each part worth a percent; waiting in any case."""
    pieces = []
    for part, spent in ledger.parts:
        share = ledger.share(part)
        if share < 0.005 and part not in ("wait", "starved"):
            continue
        glyph, style = LOOKS[part]
        numbers = f" {show.percent(share, 0):>4} {show.brief(spent / max(1, steps)):>6}"
        pieces.append(
            Content.assemble(
                (glyph, style), (f" {WORDS[part]}", "$quiet"), (numbers, "$foreground")
            )
        )
    return pieces


def ledger_rows(name: str, ledger: Ledger, steps: int, width: int) -> list[Content]:
    """A bar with its legend below."""
    bar = Content.assemble((name.ljust(_LABEL), "$quiet"), stacked(ledger, width - _LABEL))
    return [bar, *flowed(legend(ledger, steps), width)]


def time_pane(timing: Timing, width: int, height: int) -> Content:
    """As much as ``height`` rows hold; what matters least goes first."""
    steps = timing.steps // max(1, timing.ranks)
    remark = f"{steps:,} step{'s' * (steps != 1)}" if timing.steps else ""
    if timing.ranks > 1 and remark:
        remark = f"mean of {timing.ranks} ranks, {remark}"
    head = heading("Time per step", width, remark)
    if not timing.ledgers:
        return Content("\n").join([head, Content.styled("nothing was measured yet", "$quiet")])
    room = height - 1
    chosen: dict[int, list[Content]] = {}
    groups = _groups(timing, width)
    for place, (_, rows) in sorted(enumerate(groups), key=lambda each: each[1][0]):
        if len(rows) <= room:
            chosen[place] = rows
            room -= len(rows)
    return Content("\n").join([head, *(row for _, rows in sorted(chosen.items()) for row in rows)])


def _groups(timing: Timing, width: int) -> list[tuple[int, list[Content]]]:
    """Rows that belong together, in the order in which they stand, each with its weight: those with
    0 are the last to go."""
    groups: list[tuple[int, list[Content]]] = []
    for place, (name, ledger) in enumerate(timing.ledgers):
        bar, *words = ledger_rows(name, ledger, timing.steps, width)
        if place == len(timing.ledgers) - 1:
            groups += [(0, [bar]), (1, words)]
        else:
            groups.append((4, [bar, *words]))
    if timing.stall is not None:
        groups.append((2, [gauge(timing.stall, timing.ranks, width)]))
        groups.append((5, [loader(timing.stall, width, timing.ranks > 1)]))
    return [*groups, (3, [_step(timing, width)]), (6, [_epoch(timing, width)])]


def _step(timing: Timing, width: int) -> Content:
    pieces = [
        _pair("step", show.brief(timing.median_step), "median"),
        _pair("", show.brief(timing.p95_step), "p95"),
        _pair("", _of_most(timing.of_roofline), "of the roofline"),
    ]
    return joined(pieces, width, " · ")


def _of_most(share: float | None) -> str:
    return show.percent(share, 1 if share is not None and share < 0.095 else 0)


def _epoch(timing: Timing, width: int) -> Content:
    pieces = []
    last, at_hand = timing.last, timing.at_hand
    if last is not None:
        took = _pair(f"epoch {last.epoch + 1} took", show.seconds(last.actual), "")
        if last.estimated is not None:
            told = f"{show.seconds(last.estimated)} ({signed(last.error)})"
            took = Content.assemble(took, _pair(", estimated", told, ""))
        pieces.append(took)
    if at_hand is not None:
        about = f"~{show.seconds(at_hand.estimated)}"
        pieces.append(_pair(f"epoch {at_hand.epoch + 1}", about, "estimated"))
    if not pieces:
        pieces.append(_pair("epoch", show.UNKNOWN, "estimated"))
    return joined(pieces, width, " · ")


def signed(share: float | None) -> str:
    """``+6 %``, ``-2 %``; what rounds to nothing has no sign."""
    whole = None if show.unknown(share) else round((share or 0.0) * 100)
    return show.UNKNOWN if whole is None else f"{whole:+d} %" if whole else "0 %"


def _pair(label: str, value: str, unit: str) -> Content:
    return Content.assemble(
        (f"{label} " if label else "", "$quiet"),
        (value, "$foreground"),
        (f" {unit}" if unit else "", "$quiet"),
    )
