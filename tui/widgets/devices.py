"""The GPUs of a machine: a line each, one of them large, or all of them in one line. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from textual.content import Content

from engine.journal.events import GpuReading, HostSample
from engine.journal.machine_view import GpusView
from engine.plan.text import clean
from tui.widgets import format as show
from tui.widgets import gpu
from tui.widgets.fitting import at_word, flowed, joined, wrapped
from tui.widgets.host import host_pieces, host_rows, host_short, host_strip
from tui.widgets.line import bar, heading, sparkline

TITLE = "Devices"
_BLOCKS = "▁▂▃▄▅▆▇█"


_NONE = GpusView()


@dataclass(frozen=True, slots=True, kw_only=True)
class Devices:
    """What is known of a machine; ``ranks`` are those that train on each GPU, in their order."""

    gpus: GpusView = _NONE
    ranks: tuple[tuple[int, ...], ...] = ()
    host: Sequence[HostSample] = ()
    cores: int | None = None
    machine: str = ""
    as_of: str = ""
    """``as of 15:04:05``, where no sample will follow the newest."""

    @property
    def newest(self) -> tuple[GpuReading, ...]:
        """A reading of every GPU; all unknown before the first sample."""
        samples = self.gpus.samples
        return samples[-1].readings if samples else (gpu.UNKNOWN,) * len(self.gpus.found)

    def history(self, place: int, most: int) -> list[GpuReading]:
        """The newest readings of a GPU, oldest first."""
        return [each.readings[place] for each in self.gpus.samples[-most:]]

    def ranks_on(self, place: int) -> tuple[int, ...]:
        return self.ranks[place] if place < len(self.ranks) else ()


def devices_pane(shown: Devices, width: int, height: int) -> Content:
    """What ``height`` rows hold: GPUs first, then the host."""
    found = shown.gpus.found
    room = height - 1
    if not found:
        return _host_alone(shown, width, room)
    if len(found) == 1:
        lines = gpu.block(found[0], shown.history(0, width), shown.ranks_on(0), width)[:room]
        about = clean(shown.machine)
    else:
        fits = min(len(found), room - 1)
        lines = gpu_rows(shown, width)[: fits - (fits < len(found))]
        if len(lines) < len(found):
            lines.append(Content.styled(f"+{len(found) - len(lines)} more: d shows all", "$quiet"))
        about = _models(shown)
        lines += _slowed(shown, width)[: room - len(lines)]
    lines += flowed(host_pieces(shown.host, shown.cores), width)[: room - len(lines)]
    remark = at_word(shown.as_of or about, max(0, width - len(TITLE) - 6))
    return Content("\n").join([heading(TITLE, width, remark), *lines])


def _slowed(shown: Devices, width: int) -> list[Content]:
    """``▼ 5: power cap``, where the lines of the GPUs have no room for words."""
    by_why: dict[str, list[str]] = {}
    for facts, reading in zip(shown.gpus.found, shown.newest, strict=True):
        if reading.throttled:
            by_why.setdefault(gpu.throttled(reading), []).append(gpu.name(facts))
    told = "  ".join(f"{gpu.SLOWED} {' '.join(names)}: {why}" for why, names in by_why.items())
    return [Content.styled(at_word(told, width), "bold $warning")] if told else []


def _models(shown: Devices) -> str:
    """``8 x NVIDIA H100 80GB HBM3``."""
    names = {clean(each.name) for each in shown.gpus.found}
    count = len(shown.gpus.found)
    return f"{count} x {names.pop()}" if len(names) == 1 else f"{count} GPUs"


def _host_alone(shown: Devices, width: int, room: int) -> Content:
    cores = f"{shown.cores} cores" if shown.cores else ""
    about = shown.as_of or clean(shown.machine) or cores
    why = wrapped(clean(shown.gpus.problem), width) if shown.gpus.problem else []
    rows = host_rows(shown.host, shown.cores, width)[: max(0, room - len(why))]
    lines = [*rows, *(Content.styled(each, "$quiet") for each in why)][:room]
    return Content("\n").join([heading(TITLE, width, at_word(about, width - 12)), *lines])


# A line per GPU


@dataclass(frozen=True, slots=True)
class _Column:
    """Texts of all GPUs, right-aligned; ``weight`` says which stay where there is little room."""

    weight: int
    cells: tuple[str, ...]
    style: str = "$foreground"
    left: bool = False

    @property
    def width(self) -> int:
        return max(len(each) for each in self.cells)


_BAR = 5
"""Cells of a bar at least."""


def gpu_rows(shown: Devices, width: int) -> list[Content]:
    """A line for each GPU, in columns; the bars take what room is left."""
    found, newest = shown.gpus.found, shown.newest
    columns = _columns(shown)
    chosen: list[_Column] = []
    room = width - 2 * (_BAR + 1)
    for column in sorted(columns, key=lambda each: each.weight):
        if column.width and column.width + 1 <= room:
            chosen.append(column)
            room -= column.width + 1
    half, odd = divmod(2 * _BAR + max(0, room), 2)
    lines = []
    for place, (facts, reading) in enumerate(zip(found, newest, strict=True)):
        pieces = []
        for number, column in enumerate(columns):
            if column in chosen:
                text = column.cells[place]
                text = text.ljust(column.width) if column.left else text.rjust(column.width)
                pieces.append(Content.styled(text, column.style))
            if number == _BEFORE_BUSY:
                pieces.append(bar(reading.utilization, half, "$series-train"))
            if number == _BEFORE_MEMORY:
                pieces.append(gpu.memory_bar(facts, reading, half + odd))
        lines.append(
            Content(" ").join(pieces) if not reading.problem else _lost(shown, place, width)
        )
    return lines


_BEFORE_BUSY, _BEFORE_MEMORY = 1, 2
"""The columns after which the bars stand."""


def _columns(shown: Devices) -> list[_Column]:
    found, newest = shown.gpus.found, shown.newest
    pairs = list(zip(found, newest, strict=True))
    ranks = tuple(
        f"r{'+'.join(map(str, on))}" if (on := shown.ranks_on(place)) else ""
        for place in range(len(found))
    )
    links = any(each.pcie_in is not None or each.pcie_out is not None for each in newest)
    return [
        _Column(0, tuple(gpu.name(each) for each in found), "bold $foreground"),
        _Column(5, ranks, "$quiet", left=True),
        _Column(1, tuple(show.percent(each.utilization, 0).rjust(5) for each in newest)),
        _Column(2, tuple(gpu.used(facts, reading) for facts, reading in pairs)),
        _Column(4, tuple(gpu.degrees(each) for each in newest)),
        _Column(3, tuple(gpu.SLOWED if each.throttled else "" for each in newest), "bold $warning"),
        _Column(6, tuple(gpu.watts(each) for each in newest)),
        _Column(7, tuple(gpu.megahertz(each) for each in newest)),
        _Column(8, tuple(_pcie(each) if links else "" for each in newest)),
    ]


def _pcie(reading: GpuReading) -> str:
    return f"PCIe {show.per_second(reading.pcie_in)} in"


def _lost(shown: Devices, place: int, width: int) -> Content:
    """A GPU whose driver does not answer: what it says."""
    facts, reading = shown.gpus.found[place], shown.newest[place]
    words = at_word(clean(reading.problem), max(8, width - 6))
    return Content.assemble(
        (f"{gpu.name(facts)} ", "bold $foreground"), ("– ", "$foreground"), (words, "bold $warning")
    )


# All of them in one line


def devices_strip(shown: Devices, width: int) -> Content:
    """``8 GPUs ▁▃▇█▇▇█▂ 87 % · fullest 61 of 79 GiB · hottest 64 °C · CPU 67 %``, and before it the
    time that it is of, where nobody looks any more."""
    if shown.as_of:
        now = devices_strip(replace(shown, as_of=""), max(8, width - len(shown.as_of) - 2))
        return Content.assemble((f"{shown.as_of}  ", "$quiet"), now)
    found, newest = shown.gpus.found, shown.newest
    if not found:
        return host_strip(shown.host, width)
    several = len(found) > 1
    pieces = [_busy(shown)]
    full = [
        (reading.memory_used / facts.memory_total, gpu.used(facts, reading))
        for facts, reading in zip(found, newest, strict=True)
        if reading.memory_used is not None and facts.memory_total
    ]
    pieces += _warnings(newest)
    pieces.append(_piece("fullest" if several else "", max(full)[1] if full else show.UNKNOWN))
    hot = max(newest, key=lambda each: each.temperature or 0.0)
    pieces.append(_piece("hottest" if several else "", gpu.degrees(hot)))
    if not several:
        pieces.append(_piece("", gpu.watts(newest[0])))
    pieces += host_short(shown.host)
    return joined(pieces, width, " · ")


def _busy(shown: Devices) -> Content:
    """How busy they are: one block per GPU, or the last minute of the only one."""
    newest = shown.newest
    known = [each.utilization for each in newest if each.utilization is not None]
    mean = sum(known) / len(known) if known else None
    if len(newest) == 1:
        label = "GPU "
        drawn = sparkline([each.utilization for each in shown.history(0, 12)], 12, 1.0)
    else:
        label = f"{len(newest)} GPUs "
        drawn = "".join(_level(each.utilization) for each in newest[:32])
    return Content.assemble(
        (label, "$quiet"),
        (drawn, "$series-train"),
        (f" {show.percent(mean, 0):>5}", "$foreground"),
    )


def _level(share: float | None) -> str:
    return show.UNKNOWN if share is None else _BLOCKS[min(7, int(7.999 * max(0.0, share)))]


def _warnings(newest: Sequence[GpuReading]) -> list[Content]:
    """GPUs that do not answer, and why some are slower than they could be."""
    words = []
    lost = sum(1 for each in newest if each.problem)
    if lost:
        words.append("GPU lost" if len(newest) == 1 else f"{lost} lost")
    if slowed := dict.fromkeys(clean(why) for each in newest for why in each.throttled):
        words.append(f"{gpu.SLOWED} {', '.join(slowed)}")
    return [Content.styled(each, "bold $warning") for each in words]


def _piece(label: str, value: str) -> Content:
    return Content.assemble((f"{label} " if label else "", "$quiet"), (value, "$foreground"))
