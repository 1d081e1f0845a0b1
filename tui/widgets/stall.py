"""Waiting for data: how much of the epoch, which rank most, and what the loader does. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from engine.report.stall import Stall, Waiting
from tui.widgets import format as show
from tui.widgets.fitting import joined
from tui.widgets.line import bar, heading

GAUGE = 16
"""Cells of the bar."""


def gauge(shown: Stall, ranks: int, width: int) -> Content:
    """``waiting for data ━━━━────────────  23 %   worst 31 % (rank 3)``: of the epoch at hand.

    The bar is the median of several ranks.
    """
    now = shown.now
    share = now.median if now is not None else None
    several = now is not None and ranks > 1
    pieces = [
        Content.assemble(
            ("waiting for data ", "$quiet"),
            bar(share, GAUGE, "$series-wait"),
            (f" {show.percent(share, 0):>5}", "bold $series-wait"),
            (" median" if several else " of this epoch", "$quiet"),
        )
    ]
    if now is not None and several:
        worst = (f"{show.percent(now.worst, 0):>4}", "$foreground")
        pieces.append(
            Content.assemble(("worst ", "$quiet"), worst, (f" rank {now.worst_rank}", "$quiet"))
        )
    return joined(pieces, width)


def loader(shown: Stall, width: int) -> Content:
    """``4 workers · 1.8 of 8 batches ready · decode 3.1 ms per image``."""
    pieces = [_workers(shown.workers)]
    if shown.queued is not None:
        of = f" of {shown.queue}" if shown.queue is not None else ""
        pieces.append(_number(f"{shown.queued:.1f}{of}", "batches ready"))
    decode = _number(show.brief(shown.decode), "per image")
    pieces.append(Content.assemble(("decode ", "$quiet"), decode))
    return joined(pieces, width, " · ")


def stall_table(epochs: Sequence[Waiting], ranks: int, width: int) -> list[Content]:
    """Of each epoch, how much of it was spent waiting; newest last."""
    if not epochs:
        return []
    several = ranks > 1
    lines = [heading("Waiting for data, by epoch", width)]
    for each in epochs:
        room = max(4, min(40, width - (44 if several else 22)))
        line = Content.assemble(
            (f"  epoch {each.epoch + 1:>4}  ", "$quiet"),
            bar(each.median, room, "$series-wait"),
            (f" {show.percent(each.median, 0):>5}", "$foreground"),
        )
        if several:
            worst = (f"{show.percent(each.worst, 0):>5}", "$foreground")
            rank = (f" rank {each.worst_rank}", "$quiet")
            line = Content.assemble(line, (" median, worst ", "$quiet"), worst, rank)
        lines.append(line)
    return lines


def _workers(count: int) -> Content:
    if count == 0:
        return Content.assemble(("0", "$foreground"), (" workers: read between steps", "$quiet"))
    return _number(show.count(count), "worker" if count == 1 else "workers")


def _number(value: str, unit: str) -> Content:
    return Content.assemble((value, "$foreground"), (f" {unit}", "$quiet"))
