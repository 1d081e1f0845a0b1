"""How busy the machine is: rows with their last minutes, or all of it in a line or two. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from engine.journal.events import HostSample
from tui.widgets import format as show
from tui.widgets.line import sparkline

_LABEL = 11
"""Cells before a history."""
_MINUTE = 60
"""Samples."""
_BUSY, _FULL = "$series-train 60%", "$series-time 60%"

Row = tuple[str, list[float | None], float, str, str]
"""Label, history, what fills a cell of it, newest value in words, style."""


def host_rows(samples: Sequence[HostSample], cores: int | None, width: int) -> list[Content]:
    """What matters most first; what was never told is left out, but for CPU and memory."""
    rows = _rows(samples, cores)
    longest = max(len(row[3]) for row in rows)
    room = max(0, width - _LABEL - longest - 1)
    lines = []
    for label, values, top, value, style in rows:
        lines.append(
            Content.assemble(
                (f"{label:<{_LABEL}}", "$quiet"),
                (sparkline(values[-room:] if room else [], room, top), style),
                (f" {value:>{longest}}", "$foreground"),
            )
        )
    return lines


def _rows(samples: Sequence[HostSample], cores: int | None) -> list[Row]:
    newest = samples[-1] if samples else None
    of_cores = f" of {cores} cores" if cores else ""
    cpu = show.percent(newest.cpu if newest else None, 0) + of_cores
    trees = [_share(each.tree_rss, each.memory_total) for each in samples]
    rows: list[Row] = [
        ("CPU", [each.cpu for each in samples], 1.0, cpu, _BUSY),
        (
            " training",
            [each.tree_cpu for each in samples],
            float(cores or 1),
            _cores(newest),
            _BUSY,
        ),
        (
            "memory",
            [_share(each.memory_used, each.memory_total) for each in samples],
            1.0,
            memory(newest),
            _FULL,
        ),
        (" training", trees, 1.0, ours(samples), _FULL),
    ]
    if newest is not None and newest.shm_total:
        taken = [_share(_taken(each), each.shm_total) for each in samples]
        rows.append(("/dev/shm", taken, 1.0, _shm(newest), _FULL))
    if newest is not None and newest.tree_read is not None:
        reads = [each.tree_read for each in samples]
        # By its own highest: there is no telling what a disk could do.
        top = max((each for each in reads if each is not None), default=0.0) or 1.0
        rows.append(("disk reads", reads, top, show.per_second(newest.tree_read), _BUSY))
    if newest is not None and newest.disk_free is not None:
        rows.append(("disk free", [], 1.0, show.gib(newest.disk_free), _FULL))
    return rows


def host_pieces(samples: Sequence[HostSample], cores: int | None) -> list[Content]:
    """The newest values alone, by weight."""
    newest = samples[-1] if samples else None
    cpu = show.percent(newest.cpu if newest else None, 0)
    busy = show.UNKNOWN if newest is None or newest.tree_cpu is None else f"{newest.tree_cpu:.1f}"
    found = [
        (("CPU", f"{cpu:>5}"), ("training", f"{busy} of {cores} cores" if cores else busy)),
        (("memory", memory(newest)), ("training", ours(samples))),
    ]
    if newest is not None and newest.shm_total:
        found.append((("/dev/shm", _shm(newest)), ("", "")))
    if newest is not None and newest.tree_read is not None:
        found.append((("disk reads", show.per_second(newest.tree_read)), ("", "")))
    if newest is not None and newest.disk_free is not None:
        found.append((("disk free", show.gib(newest.disk_free)), ("", "")))
    return [_piece(*each) for each in found]


def host_short(samples: Sequence[HostSample]) -> list[Content]:
    """CPU and memory in the fewest cells."""
    newest = samples[-1] if samples else None
    cpu = show.percent(newest.cpu if newest else None, 0)
    return [_piece(("CPU", f"{cpu:>5}"), ("", "")), _piece(("memory", memory(newest)), ("", ""))]


def _piece(whole: tuple[str, str], ours: tuple[str, str]) -> Content:
    """``memory 1.5 of 23.5 GiB, training 1.1 GiB``."""
    comma = ", " if ours[0] else ""
    return Content.assemble(
        (f"{whole[0]} ", "$quiet"),
        (whole[1], "$foreground"),
        (f"{comma}{ours[0]} " if comma else "", "$quiet"),
        (ours[1], "$foreground"),
    )


def host_strip(samples: Sequence[HostSample], width: int) -> Content:
    """CPU and memory in one line, for small terminals."""
    newest = samples[-1] if samples else None
    cpu = show.percent(newest.cpu if newest else None, 0)
    words = memory(newest)
    room = max(0, (width - len(cpu) - len(words) - 18) // 2)
    filled = [_share(each.memory_used, each.memory_total) for each in samples[-room:]]
    return Content.assemble(
        ("CPU ", "$quiet"),
        (sparkline([each.cpu for each in samples], room, 1.0), _BUSY),
        (f" {cpu:>5}", "$foreground"),
        ("  memory ", "$quiet"),
        (sparkline(filled, room, 1.0), _FULL),
        (f" {words}", "$foreground"),
    )


def tree(samples: Sequence[HostSample]) -> int | None:
    """Bytes of the whole process tree, loader workers included.

    Shared pages count once where that was told in the last minute: it is, where memory is short.
    """
    split = (each.tree_pss for each in samples[: -_MINUTE - 1 : -1] if each.tree_pss is not None)
    return next(split, samples[-1].tree_rss if samples else None)


def ours(samples: Sequence[HostSample]) -> str:
    """``1.1 GiB``; ``≤3.1 GiB`` where pages that processes share were counted once for each."""
    size, summed = tree(samples), samples[-1].tree_rss if samples else None
    return ("≤" if size is not None and size == summed else "") + show.gib(size)


def memory(newest: HostSample | None) -> str:
    """``1.5 of 23.5 GiB``."""
    return show.UNKNOWN if newest is None else show.of_gib(newest.memory_used, newest.memory_total)


def _share(value: float | None, whole: float | None) -> float | None:
    return None if value is None or not whole else value / whole


def _taken(sample: HostSample) -> int | None:
    if sample.shm_total is None or sample.shm_free is None:
        return None
    return sample.shm_total - sample.shm_free


def _shm(newest: HostSample) -> str:
    return show.of_gib(_taken(newest), newest.shm_total)


def _cores(newest: HostSample | None) -> str:
    if newest is None or newest.tree_cpu is None:
        return show.UNKNOWN
    return f"{newest.tree_cpu:.1f} cores"
