"""The quiet panes: what starts, what failed, how busy the machine is, what was said. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from engine.journal.events import HostSample
from engine.journal.views import PhaseView
from engine.plan.text import clean
from tui.widgets import format as show
from tui.widgets.line import heading, sparkline
from tui.widgets.summary import clock


def phases(shown: Sequence[PhaseView], now: float, width: int, height: int) -> Content:
    """Starting up, as it happens: each phase with its seconds."""
    lines = [heading("Starting", width)]
    for phase in shown[-max(1, height - 2) :]:
        lasting = phase.seconds is None
        taken = max(0.0, now - phase.started) if phase.seconds is None else phase.seconds
        sign = ("●", "bold $accent") if lasting else ("✓", "$success")
        lines.append(
            Content.assemble(
                "  ",
                sign,
                (f" {clean(phase.name):<32}", "bold $foreground" if lasting else "$quiet"),
                (f"{f'{taken:.0f} s' if lasting else show.seconds(taken):>12}", "$quiet"),
            )
        )
    if not shown:
        lines.append(
            Content.styled("  waiting for the first word of the training process", "$quiet")
        )
    return Content("\n").join(lines)


def failure(title: str, reason: str, detail: str, keys: str, width: int, height: int) -> Content:
    """Why it ended, the last lines of its traceback, and what can be done now."""
    lines = [heading(title, width, keys), Content.styled(clean(reason), "bold $error")]
    told = detail.splitlines()
    room = max(0, height - 2)
    lines += [Content.styled(clean(each), "$quiet") for each in told[-room:]]
    return Content("\n").join(lines)


def machine(samples: Sequence[HostSample], cores: int | None, name: str, width: int) -> Content:
    """CPU and memory with their last minutes, four rows under a heading."""
    about = f"{cores} cores" if cores else ""
    lines = [heading("Machine", width, clean(name)[: max(0, width - 12)] or about)]
    newest = samples[-1] if samples else None
    of_cores = f" of {cores} cores" if cores else ""
    rows: list[tuple[str, list[float | None], float, str, str]] = [
        (
            "CPU",
            [each.cpu for each in samples],
            1.0,
            show.percent(newest.cpu if newest else None, 0) + of_cores,
            "$series-train 60%",
        ),
        (
            " training",
            [each.tree_cpu for each in samples],
            float(cores or 1),
            _cores(newest),
            "$series-train 60%",
        ),
        (
            "memory",
            [each.memory_used / each.memory_total for each in samples if each.memory_total],
            1.0,
            _memory(newest),
            "$series-time 60%",
        ),
        (
            " training",
            [
                None if each.tree_rss is None else each.tree_rss / each.memory_total
                for each in samples
                if each.memory_total
            ],
            1.0,
            show.gib(newest.tree_rss if newest else None),
            "$series-time 60%",
        ),
    ]
    longest = max(len(row[3]) for row in rows)
    room = max(0, width - 11 - longest - 1)
    for label, values, top, value, style in rows:
        lines.append(
            Content.assemble(
                (f"{label:<10}", "$quiet"),
                (sparkline(values, room, top), style),
                (f" {value:>{longest}}", "$foreground"),
            )
        )
    if newest is not None and newest.disk_free is not None:
        lines.append(
            Content.assemble(
                (f"{'disk free':<10}", "$quiet"),
                " " * room,
                (f" {show.gib(newest.disk_free):>{longest}}", "$foreground"),
            )
        )
    return Content("\n").join(lines)


def machine_strip(samples: Sequence[HostSample], width: int) -> Content:
    """The same in one line, for small terminals."""
    newest = samples[-1] if samples else None
    cpu = show.percent(newest.cpu if newest else None, 0)
    memory = _memory(newest)
    room = max(0, (width - len(cpu) - len(memory) - 18) // 2)
    return Content.assemble(
        ("CPU ", "$quiet"),
        (sparkline([each.cpu for each in samples], room, 1.0), "$series-train 60%"),
        (f" {cpu:>5}", "$foreground"),
        ("  memory ", "$quiet"),
        (
            sparkline(
                [each.memory_used / each.memory_total for each in samples if each.memory_total],
                room,
                1.0,
            ),
            "$series-time 60%",
        ),
        (f" {memory}", "$foreground"),
    )


def _cores(newest: HostSample | None) -> str:
    if newest is None or newest.tree_cpu is None:
        return show.UNKNOWN
    return f"{newest.tree_cpu:.1f} cores"


def _memory(newest: HostSample | None) -> str:
    if newest is None:
        return show.UNKNOWN
    return f"{newest.memory_used / (1 << 30):.1f} of {show.gib(newest.memory_total)}"


def log_line(
    t: float | None, run: str, source: str, level: str, text: str, several: bool
) -> Content:
    """``12:03:11 warning  a sentence``, or ``rank 0   what it printed``."""
    colour = {"error": "bold $error", "warning": "bold $warning"}.get(level, "$quiet")
    head = clock(t) if t is not None else f"{source:<8}"
    where = f"{run}  " if several and run else ""
    word = f"{level}  " if level in ("error", "warning") else ""
    body = "$foreground" if level else "$quiet"
    return Content.assemble(
        (f"{head}  ", "$quiet"), (where, "$quiet"), (word, colour), (text, body)
    )
