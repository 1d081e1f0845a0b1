"""Memory of each rank, beside what had been estimated before it began. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from engine.plan.text import clean
from engine.report.memory import MemoryReport, RankMemory
from tui.widgets import format as show
from tui.widgets.fitting import wrapped
from tui.widgets.line import heading
from tui.widgets.tables import table
from tui.widgets.time import signed


def memory_lines(report: MemoryReport, width: int) -> list[Content]:
    """A row per rank, the estimate below, and how far it was off."""
    lines = [heading("Memory by rank", width)]
    if not report.ranks:
        return [*lines, Content.styled("  nothing was told yet", "$quiet")]
    on_cpu = all(each.on_cpu for each in report.ranks)
    titles = ("rank", "held", "resident", "before", "peak") if on_cpu else _TITLES
    rows = [_of_cpu(each) if on_cpu else _of_gpu(each) for each in report.ranks]
    lines += table(titles, rows, width)
    return [*lines, *_estimate(report, width)]


_TITLES = ("rank", "held", "activations", "peak", "reserved", "retries", "refused")


def _of_gpu(rank: RankMemory) -> tuple[str, ...]:
    return (
        str(rank.rank),
        show.gib(rank.held),
        show.gib(rank.activations),
        show.gib(rank.peak),
        show.gib(rank.reserved),
        show.count(rank.retries),
        show.count(rank.failures),
    )


def _of_cpu(rank: RankMemory) -> tuple[str, ...]:
    return (
        str(rank.rank),
        show.gib(rank.held),
        show.gib(rank.now),
        show.gib(rank.before),
        show.gib(rank.peak),
    )


def _estimate(report: MemoryReport, width: int) -> Sequence[Content]:
    """What was expected before the start, in parts, and what came."""
    made = report.estimate
    if made.total is None:
        why = f"no estimate: {clean(made.unknown)}" if made.unknown else "no estimate"
        return [Content.styled(f"  {each}", "$quiet") for each in wrapped(why, width - 2)]
    parts = [
        ("weights", made.weights),
        ("gradients", made.gradients),
        ("optimiser", made.optimizer),
        ("averaged", made.averaged or None),
        ("activations", made.activations),
        ("gathered", made.gathered or None),
    ]
    told = ", ".join(f"{name} {show.gib(size)}" for name, size in parts if size is not None)
    whole = f"estimated before the start: {show.gib(made.total)} ({told})"
    came = f"{report.compared}: estimated {show.gib(report.expected)}, came {show.gib(report.came)}"
    if report.error is not None:
        came += f" ({signed(report.error)}); it holds also {report.beside}"
    lines = [*wrapped(whole, width - 2, "  "), *wrapped(came, width - 2, "  ")]
    return [Content.styled(f"  {each}", "$quiet") for each in lines]
