"""What holds the training up, in one line and in full. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from textual.content import Content

from engine.plan.text import clean
from engine.report.verdict import Verdict
from tui.widgets.fitting import at_word, wrapped

WHY = "i why"
"""The key for the whole diagnosis, and its word."""

_CLAUSE = re.compile("[:;,] ")
_CALM = {"fine": ("✓", "$success"), "measuring": ("◔", "$quiet")}


def verdict_line(verdict: Verdict, width: int) -> Content:
    """``▲ waiting for data · 42 % of the time → raise --workers from 0 to 2        i why``.

    Where that does not fit, what to change stays before what was found.
    """
    sign, colour = _sign(verdict)
    room = width - len(WHY) - 5
    title, rest = _said(verdict, room)
    calm = verdict.kind in _CALM
    left = Content.assemble(
        (f"{sign} ", colour),
        (title, "$quiet" if calm else "bold $foreground"),
        (rest, "$quiet" if calm else "$foreground"),
    )
    gap = " " * max(1, width - left.cell_length - len(WHY))
    return Content.assemble(
        left, gap, (WHY[:1], "bold $footer-key-foreground"), (WHY[1:], "$quiet")
    )


def _said(verdict: Verdict, room: int) -> tuple[str, str]:
    """The title, and of the rest the most that fits."""
    title, finding, change = (clean(e) for e in (verdict.title, verdict.finding, verdict.change))
    then = f" → {change}" if change else ""
    rests = [
        f" · {finding}{then}",
        f" · {_CLAUSE.split(finding)[0]}{then}",
        then or f" · {finding}",
    ]
    fitting = (each for each in rests if len(title) + len(each) <= room)
    rest = next(fitting, rests[-1]) if finding or change else ""
    return title, at_word(rest, room - len(title))


def verdict_lines(verdict: Verdict, width: int) -> list[Content]:
    """The same in full: what was found, what to change, and the evidence as a table."""
    sign, colour = _sign(verdict)
    lines = [Content.assemble((f"{sign} ", colour), (clean(verdict.title), "bold $foreground"))]
    lines += _paragraph("", verdict.finding, width, "$foreground")
    if verdict.change:
        lines += _paragraph("→ ", verdict.change, width, "bold $foreground")
    if verdict.evidence:
        lines += [Content(""), *evidence(verdict.evidence, width)]
    return lines


def evidence(rows: Sequence[tuple[str, str]], width: int) -> list[Content]:
    """Labels and what was measured; long values go on below."""
    first = min(max(len(label) for label, _ in rows) + 2, max(12, width // 2))
    lines = []
    for label, value in rows:
        parts = wrapped(clean(value), width - first - 2)
        for place, part in enumerate(parts):
            name = at_word(clean(label), first - 1) if place == 0 else ""
            lines.append(Content.assemble((f"  {name:<{first}}", "$quiet"), (part, "$foreground")))
    return lines


def _paragraph(mark: str, text: str, width: int, style: str) -> list[Content]:
    indent = "  "
    return [
        Content.styled(line if place else f"{indent}{line}", style)
        for place, line in enumerate(
            wrapped(mark + clean(text), width - len(indent), indent + " " * len(mark))
        )
        if line
    ]


def _sign(verdict: Verdict) -> tuple[str, str]:
    return _CALM.get(verdict.kind, ("▲", "bold $warning"))
