"""The table in GitHub's Markdown: for an issue, a pull request or a README."""

from __future__ import annotations

import re
from collections.abc import Sequence

from engine.plan.text import clean
from engine.report.cells import cell, marks
from engine.report.class_words import in_all, of_what, worst
from engine.report.classes import ClassReport, of_run
from engine.report.column import Column
from engine.report.columns import COLUMNS
from engine.report.comparison import Comparison, Held, Row
from engine.report.exports.courses import Courses, of_row
from engine.report.names import names
from engine.report.spelling import UNKNOWN

WORST = 5
"""Classes of each row that are told."""

SIGNS = {"best": "▲", "worst": "▼"}

_ESCAPED = re.compile(r"([\\`*_\[\]<>|~$@&]|^[#+-]|(?<=^\d)[.)](?= ))")
"""Signs with a meaning in Markdown, in HTML or to GitHub (``@name``), some at a beginning only."""
_NUMBERS = frozenset(("text", "flag"))


def to_markdown(comparison: Comparison, courses: Courses | None = None) -> str:
    """The columns that are shown by default, then the verdict, remarks and what was held equal.

    ``courses`` adds which classes were told worst.
    """
    columns = shown(comparison)
    best = {column.name: marks(column, comparison.rows) for column in columns}
    lines = []
    if comparison.rows:
        lines += [
            _line([escaped(column.title) for column in columns]),
            _line(["---" if column.unit in _NUMBERS else "---:" for column in columns]),
        ]
    for row in comparison.rows:
        cells = []
        for column in columns:
            mark = best[column.name].get(row.key)
            told = escaped(cell(column, row))
            cells.append(f"{told} {SIGNS[mark]}" if mark else told)
        lines.append(_line(cells))
    if any(best.values()):
        lines += ["", f"{SIGNS['best']} best, {SIGNS['worst']} worst of a column."]
    lines += ["", f"**{escaped(comparison.verdict or 'There is nothing to compare yet.')}**"]
    lines += _listed("Before rows are compared", comparison.remarks)
    lines += _listed("Runs that ended early", reasons(comparison.rows))
    lines += _listed("Held constant", [held(each) for each in comparison.held])
    for title, report in by_class(comparison, courses or {}):
        lines += ["", f"{escaped(title)}:", "", *_listed_only(worst(report, WORST))]
    return "\n".join(lines).lstrip("\n") + "\n"


def shown(comparison: Comparison) -> tuple[Column, ...]:
    """The columns that people see first: of the optional ones those with a value, the experiment
    only where there are several."""
    experiments = {row.figures.experiment for row in comparison.rows}
    return tuple(
        column
        for column in COLUMNS
        if (column.name == "experiment" and len(experiments) > 1)
        or (column.shown and not (column.optional and _is_empty(column, comparison.rows)))
    )


def held(each: Held) -> str:
    """``sample order: equal``, ``BN batch: differs (ddp: 16 of 32)``."""
    told = f"{each.what}: {each.constancy}"
    return f"{told} ({each.detail})" if each.detail else told


def reasons(rows: Sequence[Row]) -> tuple[str, ...]:
    """Why runs ended as they did; what several rows have in common is said once."""
    called = names(rows)
    told: dict[str, list[str]] = {}
    for row in rows:
        for each in row.repeats or (row.figures,):
            if each.reason:
                told.setdefault(each.reason, []).append(called[row.key])
    return tuple(f"{', '.join(dict.fromkeys(those))}: {why}" for why, those in told.items())


def escaped(text: str) -> str:
    """Text on one line that Markdown shows as it is."""
    return _ESCAPED.sub(r"\\\1", clean(text).strip())


def _is_empty(column: Column, rows: Sequence[Row]) -> bool:
    return all(cell(column, row) == UNKNOWN for row in rows)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def by_class(comparison: Comparison, courses: Courses) -> list[tuple[str, ClassReport]]:
    """What the most accurate repeat of each row said of three classes or more, and its title.

    Of two classes one share tells the other.
    """
    called = names(comparison.rows)
    found = []
    for row in comparison.rows:
        reports = [of_run(course.view) for course in of_row(row, courses)]
        known = [each for each in reports if each is not None and len(each.classes) > 2]
        if known:
            report = max(known, key=lambda each: each.top1)
            title = f"Worst classes of {called[row.key]} ({of_what(report)}; {in_all(report)})"
            found.append((title, report))
    return found


def _listed(title: str, told: Sequence[str]) -> list[str]:
    return ["", f"{title}:", "", *_listed_only(told)] if told else []


def _listed_only(told: Sequence[str]) -> list[str]:
    return [f"- {escaped(each)}" for each in told]
