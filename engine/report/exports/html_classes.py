"""Results by class on a page: a table that sorts, and the confusion matrix where it is small."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from engine.report.class_words import name
from engine.report.classes import ClassReport, ClassResult
from engine.report.spelling import UNKNOWN, count, percent

STYLE = """
.matrix td,.matrix th{padding:.15rem .5rem}.matrix .right{font-weight:700}
summary{cursor:pointer;margin:.6rem 0}
"""

MOST = 200
"""Classes in the table, the worst first; all of them are in ``resnet-tui export --classes``."""
_SQUARE = 25
"""Classes of a matrix that can be looked at."""
_PAIRS = 20

_HEADS = ("class", "images", "top-1", "from", "to", "top-5", "precision", "F1")


def classes_sections(told: Sequence[tuple[str, ClassReport]]) -> str:
    """One part that opens for each title; empty where there is none."""
    if not told:
        return ""
    parts = [
        f"<details><summary>{escape(title)}</summary>{_table(report)}{_confusion(report)}</details>"
        for title, report in told
    ]
    return f"<h2>Results by class</h2>{''.join(parts)}"


def _table(report: ClassReport) -> str:
    heads = "".join(
        f'<th class="text"><button>{head}</button></th>'
        if head == "class"
        else f'<th data-n="1"><button>{head}</button></th>'
        for head in _HEADS
    )
    rows = []
    for place in report.worst[:MOST]:
        each = report.classes[place]
        called = escape(name(report, place), quote=True)
        cells = "".join(_number(*number) for number in _numbers(each))
        rows.append(f'<tr><td class="text" data-v="{called}">{called}</td>{cells}</tr>')
    more = len(report.worst) - MOST
    said = f'<p class="quiet">{count(more)} more classes are told better.</p>' if more > 0 else ""
    return (
        f'<div class="scroll"><table><thead><tr>{heads}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>{said}"
    )


def _numbers(each: ClassResult) -> list[tuple[float | None, str]]:
    low, high = each.interval or (None, None)
    shares = (each.recall, low, high, each.top5_share, each.precision, each.f1)
    return [(each.images, count(each.images)), *((share, percent(share)) for share in shares)]


def _number(value: float | None, told: str) -> str:
    return f"<td>{UNKNOWN}</td>" if value is None else f'<td data-v="{value}">{told}</td>'


def _confusion(report: ClassReport) -> str:
    """The whole matrix, or of many classes the pairs that are confused most."""
    if len(report.classes) > _SQUARE:
        names = [name(report, place) for place in range(len(report.classes))]
        items = "".join(
            f"<li>{escape(names[each.true])} → {escape(names[each.said])}: {count(each.count)} "
            f"({percent(each.share)})</li>"
            for each in report.confused[:_PAIRS]
        )
        return f'<p class="quiet">Most confused, true → said:</p><ul>{items}</ul>'
    numbers = range(1, len(report.classes) + 1)
    heads = "".join(f"<th>{number}</th>" for number in numbers)
    rows = []
    for true, row in enumerate(report.matrix().tolist()):
        images = report.classes[true].images or 1
        cells = "".join(_cell(each, each / images, true == said) for said, each in enumerate(row))
        rows.append(
            f'<tr><th class="text">{true + 1} {escape(name(report, true))}</th>{cells}</tr>'
        )
    return (
        '<p class="quiet">Images of each class (rows) by what they were taken for (columns).</p>'
        f'<div class="scroll"><table class="matrix"><tbody><tr><th></th>{heads}</tr>'
        f"{''.join(rows)}</tbody></table></div>"
    )


def _cell(number: int, share: float, right: bool) -> str:
    if not number:
        return "<td>·</td>"
    colour = "90,169,240" if right else "242,169,59"
    kind = ' class="right"' if right else ""
    return f'<td{kind} style="background:rgba({colour},{share:.2f})">{count(number)}</td>'
