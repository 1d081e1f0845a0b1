"""Curves as inline SVG, for a page that needs nothing else."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from html import escape
from typing import NamedTuple

from engine.report.comparison import Comparison
from engine.report.exports.courses import Courses, Point, is_wide, of_row
from engine.report.exports.strokes import Stroke, stroke
from engine.report.names import names
from engine.report.spelling import plain

_WIDTH, _HEIGHT = 460, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 10, 24, 36
_TICKS = 4


class _Line(NamedTuple):
    stroke: Stroke
    dots: tuple[tuple[float, float], ...]


def charts(comparison: Comparison, courses: Courses) -> str:
    """Validation loss and top-1 against the epoch, a line per run; empty without a course."""
    drawn = [
        _chart(title, unit, _lines(comparison, courses, value))
        for title, unit, value in (
            ("validation loss", "", lambda point: point.val_loss),
            ("validation top-1", " %", lambda point: _percent(point.val_top1)),
        )
    ]
    if not any(drawn):
        return ""
    return f'<div class="charts">{"".join(drawn)}</div>{_legend(comparison, courses)}'


def _lines(
    comparison: Comparison, courses: Courses, value: Callable[[Point], float | None]
) -> list[_Line]:
    lines = []
    for place, row in enumerate(comparison.rows):
        for course in of_row(row, courses):
            dots = [(float(point.epoch), value(point)) for point in course.points]
            known = tuple((x, y) for x, y in dots if y is not None and math.isfinite(y))
            if known:
                lines.append(_Line(stroke(place), known))
    return lines


def _chart(title: str, unit: str, lines: Sequence[_Line]) -> str:
    if not lines:
        return ""
    logarithmic = is_wide([y for line in lines for _, y in line.dots])
    if logarithmic:
        title += ", logarithmic"
        lines = [
            _Line(line.stroke, tuple((x, math.log10(y)) for x, y in line.dots)) for line in lines
        ]
    dots = [dot for line in lines for dot in line.dots]
    last = max(x for x, _ in dots)
    low, high = min(y for _, y in dots), max(y for _, y in dots)
    if low == high:
        low, high = low - (abs(low) or 1.0) / 2, high + (abs(high) or 1.0) / 2

    def at(dot: tuple[float, float]) -> tuple[float, float]:
        x = _LEFT + (dot[0] / last) * (_WIDTH - _LEFT - _RIGHT)
        y = _TOP + (high - dot[1]) / (high - low) * (_HEIGHT - _TOP - _BOTTOM)
        return round(x, 1), round(y, 1)

    parts = [f'<text x="{_LEFT}" y="14" class="title">{escape(title)}</text>']
    for tick in range(_TICKS + 1):
        value = low + (high - low) * tick / _TICKS
        _, y = at((0.0, value))
        parts.append(f'<path d="M{_LEFT} {y}H{_WIDTH - _RIGHT}" class="grid"/>')
        told = escape(plain(10**value if logarithmic else value, 3) + unit)
        parts.append(f'<text x="{_LEFT - 6}" y="{y + 4}" class="right">{told}</text>')
    for epoch in sorted({round(last * tick / _TICKS) for tick in range(_TICKS + 1)}):
        x, _ = at((epoch, low))
        y = _HEIGHT - _BOTTOM + 16
        parts.append(f'<text x="{x}" y="{y}" class="middle">{epoch}</text>')
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    parts.append(f'<text x="{middle}" y="{_HEIGHT - 4}" class="middle">epoch</text>')
    for line in lines:
        points = [at(dot) for dot in line.dots]
        d = "M" + "L".join(f"{x} {y}" for x, y in points)
        parts.append(f'<path d="{d}" {_pen(line.stroke)}/>')
        parts += [f'<circle cx="{x}" cy="{y}" r="2" fill="{line.stroke.colour}"/>'
                  for x, y in points if len(points) < 50]  # fmt: skip
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(title)}">'
        f"{''.join(parts)}</svg>"
    )


def _legend(comparison: Comparison, courses: Courses) -> str:
    called = names(comparison.rows)
    items = [
        f'<li><svg viewBox="0 0 28 8" class="key"><path d="M0 4H28" {_pen(stroke(place))}/></svg>'
        f"{escape(called[row.key])}</li>"
        for place, row in enumerate(comparison.rows)
        if of_row(row, courses)
    ]
    return f'<ul class="legend">{"".join(items)}</ul>'


def _pen(of: Stroke) -> str:
    dashes = f' stroke-dasharray="{" ".join(map(str, of.dashes))}"' if of.dashes else ""
    return f'fill="none" stroke="{of.colour}" stroke-width="1.5"{dashes}'


def _percent(share: float | None) -> float | None:
    return None if share is None else share * 100
