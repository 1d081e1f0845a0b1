"""Results by class as CSV (RFC 4180), of the best validation of each run: raw numbers, for pandas.

``classes_csv`` has a row per run and class, ``confusion_csv`` one per run and pair of classes of
which an image of one was taken for the other, or for itself. Epochs and repeats count from 1. An
unknown share (of no image) is an empty cell.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator

from engine.journal.views import RunView
from engine.report.classes import ClassReport, of_run
from engine.report.column import Value
from engine.report.comparison import Source
from engine.report.exports.csv import cell

CLASSES = (
    "experiment", "run", "strategy", "repeat", "epoch", "class", "images", "said", "top1", "top5",
    "precision", "recall", "f1",
)  # fmt: skip
"""``images`` of the class, ``said``: images that were taken for it; the rest are shares in 0..1."""
CONFUSION = ("experiment", "run", "strategy", "repeat", "epoch", "true", "said", "count")

Reported = tuple[str, RunView, ClassReport]
"""The experiment's name, a run, and what its best validation said of the classes."""


def reported(sources: Iterable[Source]) -> list[Reported]:
    """The runs that have been validated, in their order."""
    runs = ((source.name, run, of_run(run)) for source in sources for run in source.view.runs)
    return [(name, run, report) for name, run, report in runs if report is not None]


def classes_csv(told: Iterable[Reported]) -> str:
    """A row per run and class, in the order of the dataset."""
    return _table(CLASSES, told, _classes)


def confusion_csv(told: Iterable[Reported]) -> str:
    """A row per run and cell that is not 0, in the order of (true, said)."""
    return _table(CONFUSION, told, _cells)


def _table(
    head: tuple[str, ...],
    told: Iterable[Reported],
    rows: Callable[[ClassReport], Iterator[tuple[Value, ...]]],
) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(head)
    for experiment, run, report in told:
        epoch = report.judged.epoch + 1
        known = (experiment, run.run, run.strategy, run.repeat + 1, epoch)
        first = [cell(each) for each in known]
        writer.writerows([*first, *map(cell, row)] for row in rows(report))
    return text.getvalue()


def _classes(report: ClassReport) -> Iterator[tuple[Value, ...]]:
    for each in report.classes:
        yield (
            each.name, each.images, each.said, each.recall, each.top5_share,
            each.precision, each.recall, each.f1,
        )  # fmt: skip


def _cells(report: ClassReport) -> Iterator[tuple[Value, ...]]:
    judged, names = report.judged, [each.name for each in report.classes]
    columns = (each.tolist() for each in (judged.true, judged.said, judged.count))
    for true, said, count in zip(*columns, strict=True):
        yield names[true], names[said], count
