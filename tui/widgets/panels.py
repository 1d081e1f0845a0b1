"""The quiet panes: what starts, what failed, what was said. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from engine.journal.views import PhaseView
from engine.plan.text import clean
from tui.widgets import format as show
from tui.widgets.line import heading
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


WRAPPED = 60
"""Cells across below which a line of the log goes on in the next row."""


def log_rows(lines: Sequence[Content], width: int, height: int) -> list[Content]:
    """The newest lines that ``height`` rows hold, oldest first; never cut inside a word."""
    rows: list[Content] = []
    for line in reversed(lines):
        parts = line.wrap(max(8, width)) if width < WRAPPED else [_first_words(line, width)]
        if rows and len(rows) + len(parts) > height:
            break
        rows = parts[:height] + rows
    return rows


def _first_words(line: Content, width: int) -> Content:
    if line.cell_length <= width:
        return line
    return Content.assemble(line.wrap(max(8, width - 2))[0].rstrip(), (" …", "$quiet"))
