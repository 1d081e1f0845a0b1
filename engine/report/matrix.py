"""A confusion matrix as text: whole where it fits, told apart without colours. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from engine.plan.text import clean
from engine.report.classes import ClassReport

MOST = 40
"""Classes of a matrix at most: more of them are no longer looked at one by one."""

_SHADES = "░▒▓█"
"""For a quarter of a class's images at most, half, three quarters, and more."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One count, as wide as all others; ``share`` of the images of its class, 0..1."""

    text: str
    share: float
    right: bool
    """It is on the diagonal: images that were taken for what they are."""


@dataclass(frozen=True, slots=True)
class Grid:
    """A row per true class, a column for each that it was taken for."""

    head: str
    """What the columns are called, as wide as the cells of a row together."""
    rows: tuple[tuple[Cell, ...], ...]
    numbered: bool
    """Columns are called by the numbers of the classes, from 1; else by their names, which fit."""


def width_of(report: ClassReport) -> int:
    """Cells of a terminal that a row takes."""
    return len(report.classes) * _cell_width(report)


def grid(report: ClassReport, room: int) -> Grid | None:
    """``None`` where a row takes more than ``room`` cells of a terminal, or classes are too many.

    Nothing is a dot; what is something has a shade behind it, the darker the larger its share.
    """
    count = len(report.classes)
    if count > MOST or width_of(report) > room:
        return None
    width = _cell_width(report) - 1
    rows = []
    for true, row in enumerate(report.matrix().tolist()):
        images = report.classes[true].images
        rows.append(
            tuple(
                Cell(_text(each, images, width), each / images if images else 0.0, true == said)
                for said, each in enumerate(row)
            )
        )
    names = [clean(each.name) for each in report.classes]
    numbered = not all(name.isascii() and len(name) < width for name in names)
    titles = [str(number) for number in range(1, count + 1)] if numbered else names
    head = "".join(f"{title:>{width}} " for title in titles)
    return Grid(head, tuple(rows), numbered)


def _cell_width(report: ClassReport) -> int:
    """A blank, the largest number that stands in one, and its shade."""
    most = int(report.judged.count.max())
    return 1 + max(len(str(most)), len(str(len(report.classes)))) + 1


def _text(count: int, images: int, width: int) -> str:
    if not count:
        return f"{'·':>{width}} "
    share = count / images
    return f"{count:>{width}}{_SHADES[min(3, int(share * 4 - 1e-9))]}"
