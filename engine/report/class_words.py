"""Results by class in words: for the end of a training, an issue or a page. Pure."""

from __future__ import annotations

from engine.plan.text import clean
from engine.report.classes import ClassReport
from engine.report.spelling import count, percent

_NAME = 40
"""Characters of a name at most."""


def of_what(report: ClassReport) -> str:
    """``the best validation, after epoch 12: 4,000 images in 10 classes``."""
    which = "the best validation" if report.judged.best else "the last validation"
    return (
        f"{which}, after epoch {report.judged.epoch + 1}: "
        f"{count(report.images)} images in {count(len(report.classes))} classes"
    )


def in_all(report: ClassReport) -> str:
    """``top-1 71.2 %, balanced accuracy 70.8 %, macro F1 70.9 %``; top-5 where it tells something.

    Among five classes or fewer the right one is always in the top five.
    """
    said = [f"top-1 {percent(report.top1)}"]
    if len(report.classes) > 5:
        said.append(f"top-5 {percent(report.top5)}")
    said.append(f"balanced accuracy {percent(report.balanced_accuracy)}")
    said.append(f"macro F1 {percent(report.macro_f1)}")
    return ", ".join(said)


def worst(report: ClassReport, most: int) -> list[str]:
    """The classes that are told worst: ``cat: 40.0 % of 25 images (23.4 to 59.3 %), taken for dog
    12 times``. The interval holds the true share with a probability of 95 %."""
    return [_told(report, place) for place in report.worst[:most]]


def name(report: ClassReport, place: int) -> str:
    """Of the class at a place in the list, cleaned and not too long."""
    told = clean(report.classes[place].name)
    told = told if report.named else f"class {told}"
    return told if len(told) <= _NAME else f"{told[: _NAME - 1]}…"


def _told(report: ClassReport, place: int) -> str:
    each = report.classes[place]
    said = f"{name(report, place)}: {percent(each.recall)} of {images(each.images)}"
    if each.interval is not None:
        low, high = each.interval
        said += f" ({low * 100:.1f} to {high * 100:.1f} %)"
    found = report.taken_for(place)
    if found:
        times = "once" if found[0].count == 1 else f"{count(found[0].count)} times"
        said += f", taken for {name(report, found[0].said)} {times}"
    return said


def images(number: int) -> str:
    return f"{count(number)} image" + ("s" if number != 1 else "")
