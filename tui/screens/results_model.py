"""What the screen of results by class says and lists, from what is known of a run. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from textual.content import Content

from engine.journal.judged import JudgedView
from engine.journal.views import RunView
from engine.plan.runs import RunPlan
from engine.report.classes import ClassReport, Confusion
from tui.widgets import class_table, confusion
from tui.widgets import format as show
from tui.widgets.fitting import joined

Entry = int | Confusion | Content
"""A line: the place of a class, a pair that is confused, or words."""

ORDERS: dict[str, str] = {
    "recall": "top-1, worst first",
    "precision": "precision, worst first",
    "f1": "F1, worst first",
    "images": "images, fewest first",
    "name": "name",
    "place": "as the dataset has them",
}
"""What classes can be sorted by."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What the user chose to see."""

    order: str = "recall"
    reverse: bool = False
    needle: str = ""
    """A part of the names that are listed."""
    confused: bool = False
    """What is taken for what, instead of the classes."""
    last: bool = False
    """Of the last validation that said something of classes, not of the best."""


def missing(run: RunView | None) -> str:
    """Why there is nothing to see yet: a sentence."""
    if run is None or run.state == "queued":
        return "It has not begun yet. Results by class come with its first validation."
    if run.validations:
        return (
            "Its validations tell nothing of single classes: it was trained by an older version, "
            "or what was written of them is damaged."
        )
    if run.state == "running":
        return "There is something to see after its first validation."
    return f"It {'is ' if run.state == 'done' else ''}{run.state} without a validation."


def about(report: ClassReport, run: RunView, plan: RunPlan | None, width: int) -> Content:
    """Of which epoch and weights it is, and of how many images."""
    judged = report.judged
    which = "best validation" if judged is run.best_judged else "last validation"
    epochs = f" of {plan.settings.epochs}" if plan is not None else ""
    said = [
        f"{which}, after epoch {judged.epoch + 1}{epochs}",
        "averaged weights" if plan is not None and plan.settings.ema else "",
        f"{show.count(report.images)} images in {show.count(len(report.classes))} classes",
    ]
    pieces = [Content.styled(each, "$quiet") for each in said if each]
    return joined(pieces, width, gap=" · ")


def sums(report: ClassReport, width: int) -> Content:
    """The figures of all classes together."""
    told = [("top-1", report.top1)]
    if len(report.classes) > 5:
        told.append(("top-5", report.top5))
    told += [
        ("balanced accuracy", report.balanced_accuracy),
        ("macro F1", report.macro_f1),
        ("macro precision", report.macro_precision),
    ]
    pieces = [
        Content.assemble((f"{name} ", "$quiet"), (show.percent(share), "bold $foreground"))
        for name, share in told
    ]
    return joined(pieces, width, gap="   ")


def entries(report: ClassReport, choice: Choice, width: int, height: int) -> list[Entry]:
    """The lines of the list; beside a few classes their matrix, where there is room for both."""
    if choice.confused:
        whole = None if choice.needle else confusion.matrix(report, width)
        return [*whole, *_key(width)] if whole is not None else list(_pairs(report, choice))
    places: list[Entry] = list(_places(report, choice))
    whole = confusion.matrix(report, width) if len(report.classes) < height else None
    if whole is not None and not choice.needle and len(places) + len(whole) + 4 <= height:
        title = Content.styled("images of each class, by what they were taken for", "$quiet")
        return [*places, Content(""), title, *whole, *_key(width)]
    return places


def head(report: ClassReport, choice: Choice, width: int) -> Content:
    """The titles above the list."""
    if not choice.confused:
        titles = class_table.head(class_table.columns(report, width - 1))
        return Content.assemble(" ", titles)
    if choice.needle or confusion.matrix(report, width) is None:
        return Content.assemble(" ", confusion.pairs_head(width - 1))
    return Content.styled("images of each class, by what they were taken for", "$quiet")


def line(
    report: ClassReport, entry: int | Confusion, of: list[class_table.Column], width: int
) -> Content:
    """A class, or a pair that is confused."""
    if isinstance(entry, Confusion):
        return confusion.pair(report, entry, width)
    return class_table.row(report, entry, of)


def judged_of(run: RunView | None, choice: Choice) -> JudgedView | None:
    if run is None:
        return None
    return (run.last_judged if choice.last else run.best_judged) or run.last_judged


def _key(width: int) -> list[Content]:
    return [Content.styled(confusion.KEY, "$quiet")] if width >= len(confusion.KEY) else []


def _places(report: ClassReport, choice: Choice) -> Sequence[int]:
    """Of the classes whose names hold the needle, in the chosen order; what is unknown last."""
    wanted = _matches(report, choice.needle)
    value = _values(report, choice.order)
    found = [place for place in range(len(report.classes)) if wanted(place)]
    known = [place for place in found if value(place) is not None]
    # Sorting keeps equal ones as the dataset has them, turned round or not.
    known.sort(key=value, reverse=choice.reverse)
    return [*known, *(place for place in found if value(place) is None)]


def _values(report: ClassReport, order: str) -> Callable[[int], Any]:
    classes = report.classes
    if order == "place":
        return lambda place: place
    if order == "name":
        return lambda place: class_table.called(report, place).casefold()
    return lambda place: getattr(classes[place], order)


def _pairs(report: ClassReport, choice: Choice) -> Sequence[Confusion]:
    if not choice.needle:
        return report.confused
    wanted = _matches(report, choice.needle)
    return [each for each in report.confused if wanted(each.true) or wanted(each.said)]


def _matches(report: ClassReport, needle: str) -> Callable[[int], bool]:
    if not needle:
        return lambda place: True
    folded = needle.casefold()
    found = [
        folded in class_table.called(report, place).casefold()
        for place in range(len(report.classes))
    ]
    return lambda place: found[place]
