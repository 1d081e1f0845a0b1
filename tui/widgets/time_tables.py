"""The time of steps by rank, and of epochs: in figures. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

from textual.content import Content

from engine.report.epochs import EpochTime
from engine.report.ledger import WORDS, Ledger
from tui.widgets import format as show
from tui.widgets.tables import table
from tui.widgets.time import signed, summed


def rank_table(
    ledgers: Sequence[tuple[int, int, Ledger]], extra: Mapping[str, Sequence[str]], width: int
) -> list[Content]:
    """A row per rank: of (rank, steps, ledger) each part's time per step.

    The columns ``extra`` stand before them.
    """
    names = [part for part, _ in summed([ledger for _, _, ledger in ledgers]).parts]
    titles = ["rank", *extra, *(WORDS[name] for name in names)]
    rows = [
        [
            str(rank),
            *(column[place] for column in extra.values()),
            *(show.brief(ledger.of(name) / max(1, steps)) for name in names),
        ]
        for place, (rank, steps, ledger) in enumerate(ledgers)
    ]
    return table(titles, rows, width)


def epoch_table(
    epochs: Sequence[EpochTime], waits: Mapping[int, Mapping[int, float]], width: int
) -> list[Content]:
    """Newest first: what was expected, what came, and who waited for data how much.

    ``waits`` are shares in 0..1 by epoch and rank.
    """
    ranks = sorted({rank for each in waits.values() for rank in each})
    titles = ["epoch", "estimated", "took", "error", "waiting for data"]
    if len(ranks) > 1:
        titles = [*titles, *(f"rank {rank}" for rank in ranks)]
    rows = []
    for each in reversed(epochs):
        shares = waits.get(each.epoch, {})
        middle = statistics.median(shares.values()) if shares else None
        row = [
            str(each.epoch + 1),
            show.seconds(each.estimated),
            show.seconds(each.actual),
            signed(each.error),
            show.percent(middle, 0),
        ]
        if len(ranks) > 1:
            row += [show.percent(shares.get(rank), 0) for rank in ranks]
        rows.append(row)
    return table(titles, rows, width)
