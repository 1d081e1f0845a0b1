"""Waiting for data: how much of the epoch, which rank most, and what the loader does. Pure."""

from __future__ import annotations

from textual.content import Content

from engine.report.stall import Stall
from tui.widgets import format as show
from tui.widgets.fitting import joined
from tui.widgets.line import bar

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


def loader(shown: Stall, width: int, several: bool = False) -> Content:
    """``4 workers · 1.8 of 8 batches ready · decode 3.1 ms per image``.

    ``several``: there are other ranks, and what is ready is ready for one of them.
    """
    pieces = [_workers(shown.workers)]
    if shown.queued is not None:
        of = f" of {shown.queue}" if shown.queue is not None else ""
        pieces.append(
            _number(f"{shown.queued:.1f}{of}", f"batches ready{' per rank' if several else ''}")
        )
    decode = _number(show.brief(shown.decode), "per image")
    pieces.append(Content.assemble(("decode ", "$quiet"), decode))
    return joined(pieces, width, " · ")


def _workers(count: int) -> Content:
    if count == 0:
        return Content.assemble(("0", "$foreground"), (" workers: read between steps", "$quiet"))
    return _number(show.count(count), "worker" if count == 1 else "workers")


def _number(value: str, unit: str) -> Content:
    return Content.assemble((value, "$foreground"), (f" {unit}", "$quiet"))
