"""One GPU at one moment: its readings as words, its memory as a bar, its last minutes. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.content import Content

from engine.journal.events import GpuFacts, GpuReading
from engine.plan.text import clean
from tui.widgets import format as show
from tui.widgets.fitting import at_word, joined
from tui.widgets.line import bar, sparkline

OURS, OTHERS, WHOSE, FREE = "━", "▒", "╍", "─"
"""The cells of a memory bar: this experiment's, of other programs, nobody knows whose, free."""
SLOWED = "▼"
"""Before the reason why a GPU is slower than it could be."""

_BUSY, _FULL, _ELSE = "$series-train", "$series-time", "$warning"
_LABEL = 13
"""Cells before a history."""

UNKNOWN = GpuReading()


def memory_bar(facts: GpuFacts, reading: GpuReading, width: int) -> Content:
    """This run's memory, that of others, and what is free, in ``width`` cells."""
    total, used, ours = facts.memory_total, reading.memory_used, reading.memory_ours
    if not total or used is None:
        return bar(None, width, _FULL)
    full = _cells(used, total, width)
    if ours is None:
        return Content.assemble((WHOSE * full, _FULL), (FREE * (width - full), "$faint"))
    own = min(full, _cells(min(ours, used), total, width))
    return Content.assemble(
        (OURS * own, _FULL), (OTHERS * (full - own), _ELSE), (FREE * (width - full), "$faint")
    )


def _cells(part: int, whole: int, width: int) -> int:
    """A little is not nothing."""
    return max(min(width, round(part / whole * width)), 1 if part / whole >= 0.01 else 0)


def memory_key(readings: Sequence[GpuReading]) -> Content:
    """What the cells of the bars mean; only those that come."""
    known = any(each.memory_ours is not None for each in readings)
    pieces = [(OURS, _FULL), (" this run  ", "$quiet"), (OTHERS, _ELSE), (" others  ", "$quiet")]
    if not known:
        pieces = [(WHOSE, _FULL), (" used, whose is hidden  ", "$quiet")]
    return Content.assemble(*pieces, (FREE, "$faint"), (" free", "$quiet"))


def used(facts: GpuFacts, reading: GpuReading) -> str:
    """``61 of 79 GiB``."""
    return show.of_gib(reading.memory_used, facts.memory_total)


def degrees(reading: GpuReading) -> str:
    return _rounded(reading.temperature, "°C")


def watts(reading: GpuReading) -> str:
    return _rounded(reading.power, "W")


def megahertz(reading: GpuReading) -> str:
    return _rounded(reading.sm_clock, "MHz")


def throttled(reading: GpuReading) -> str:
    return clean(", ".join(reading.throttled))


def _rounded(value: float | None, unit: str) -> str:
    return show.UNKNOWN if show.unknown(value) else f"{value:,.0f} {unit}"


def ranks_words(ranks: Sequence[int]) -> str:
    """``rank 0``, ``ranks 0 2``."""
    if not ranks:
        return ""
    return f"rank{'s' if len(ranks) > 1 else ''} {' '.join(map(str, ranks))}"


def name(facts: GpuFacts) -> str:
    """``0``, and ``0.2`` for the second slice of it."""
    return f"{facts.index}" if facts.slice is None else f"{facts.index}.{facts.slice}"


def block(
    facts: GpuFacts,
    history: Sequence[GpuReading],
    ranks: Sequence[int],
    width: int,
) -> list[Content]:
    """Everything about one GPU, with its last minutes; ``history`` is oldest first."""
    newest = history[-1] if history else UNKNOWN
    about = [clean(facts.name), ranks_words(ranks) or "not of this run"]
    if facts.visible is False:
        about[1] = "hidden by CUDA_VISIBLE_DEVICES"
    lines = [
        Content.assemble(
            (f"{name(facts)} ", "bold $foreground"),
            (about[0], "$foreground"),
            (f" · {about[1]}", "$quiet"),
        )
    ]
    if newest.problem:
        words = at_word(clean(newest.problem), max(8, width - 4))
        return [*lines, Content.assemble("  – ", (words, "bold $warning"))]
    limit = f" of {facts.power_limit:,.0f} W" if facts.power_limit else " W"
    power = show.UNKNOWN if newest.power is None else f"{newest.power:,.0f}{limit}"
    cells = [show.percent(newest.utilization, 0), used(facts, newest), power, degrees(newest)]
    last = max(len(each) for each in cells)
    room = max(4, width - _LABEL - last - 1)
    busy, memory, watt, heat = cells

    def row(label: str, drawn: Content, value: str) -> Content:
        return Content.assemble(
            (f"{label:<{_LABEL}}", "$quiet"), drawn, (f" {value:>{last}}", "$foreground")
        )

    def past(get: Callable[[GpuReading], float | None], top: float, style: str) -> Content:
        values = [get(each) for each in history[-room:]]
        return Content.styled(sparkline(values, room, top), f"{style} 60%")

    lines += [
        row("utilisation", past(lambda each: each.utilization, 1.0, _BUSY), busy),
        row("memory", memory_bar(facts, newest, room), memory),
        row("power", past(lambda each: each.power, _top(facts, history), "$series-wait"), watt),
        row("temperature", past(lambda each: each.temperature, 100.0, "$series-validation"), heat),
    ]
    return [*lines, _clock(newest, width), _links(newest, width)]


def _top(facts: GpuFacts, history: Sequence[GpuReading]) -> float:
    """What fills a cell of the history of power."""
    return facts.power_limit or max((each.power or 0.0 for each in history), default=0.0) or 1.0


def _clock(newest: GpuReading, width: int) -> Content:
    clock = Content.assemble(
        (f"{'SM clock':<{_LABEL}}", "$quiet"), (megahertz(newest), "$foreground")
    )
    why = throttled(newest)
    slowed = [Content.styled(f"{SLOWED} {why}", "bold $warning")] if why else []
    return joined([clock, *slowed], width)


def _links(newest: GpuReading, width: int) -> Content:
    """What goes over PCIe and, where there is one, NVLink."""
    pairs = [("PCIe", newest.pcie_in, newest.pcie_out)]
    if newest.nvlink_in is not None or newest.nvlink_out is not None:
        pairs.append(("NVLink", newest.nvlink_in, newest.nvlink_out))
    told = []
    for place, (label, coming, going) in enumerate(pairs):
        if coming is None and going is None:
            told.append(
                Content.assemble((f"{label:<{_LABEL}}", "$quiet"), (show.UNKNOWN, "$foreground"))
            )
            continue
        words = Content.assemble(
            (f"{label:<{_LABEL}}" if place == 0 else f" {label} ", "$quiet"),
            ("in ", "$quiet"),
            (f"{show.per_second(coming):>10}", "$foreground"),
        )
        out = Content.assemble(("out ", "$quiet"), (f"{show.per_second(going):>10}", "$foreground"))
        told.append(joined([words, out], width))
    return joined(told, width)
