"""What a dataset holds, while it is being found out: facts first, then one line per class."""

from __future__ import annotations

import textwrap

from textual.content import Content

from engine.plan.inspection import ClassCount, Report
from tui.widgets.lines import Lines

_LABEL = 12
"""Cells for the names of facts."""

_FACTS = 47
"""Cells for the facts where there is room for the classes beside them."""


class DatasetReport(Lines):
    """Scrolls, has no cursor. Says what to do where there is nothing to show yet."""

    BINDING_GROUP_TITLE = "dataset"
    has_cursor = False

    def __init__(self) -> None:
        super().__init__()
        self._head: list[Content] = []
        self._counts: tuple[ClassCount, ...] = ()
        self._largest = 1
        self._beside = False
        """Whether the classes stand beside the facts and not under them."""
        self._name_width = 0
        self._digits = 5
        self._shown: tuple[str, Report | str] = ("", "")
        self._width = 0
        self.held_out = ""

    def show_nothing(self) -> None:
        """No folder is chosen."""
        self._show("nothing", "Choose a folder on the left: Enter takes it.")

    def show_waiting(self, name: str) -> None:
        """The folder is looked at, and nothing is known yet."""
        self._show("waiting", f"reading {name} …")

    def show_error(self, sentence: str) -> None:
        """The folder cannot be trained on."""
        self._show("error", sentence)

    def show_report(self, report: Report, held_out: str) -> None:
        """``held_out`` says which share was split off, where there is no validation folder."""
        self.held_out = held_out
        self._show("report", report)

    def on_resize(self) -> None:
        if self._width != self.scrollable_content_region.width:
            self._show(*self._shown)
        super().on_resize()

    def line(self, number: int, width: int) -> Content:
        if not self._beside:
            classes = number - len(self._head)
            return self._head[number] if classes < 0 else self._class_line(classes - 2, width)
        left = self._head[number] if number < len(self._head) else Content("")
        left = left.truncate(_FACTS - 3, ellipsis=True, pad=True)
        return Content.assemble(left, "   ", self._class_line(number - 1, width - _FACTS))

    def _show(self, kind: str, what: Report | str) -> None:
        if kind != self._shown[0]:
            self.scroll_to(y=0, animate=False)
        self._shown = (kind, what)
        self._width = self.scrollable_content_region.width
        if isinstance(what, Report):
            self._beside = self._width >= _FACTS + 29
            self._counts = what.classes
            self._largest = max((each.train + each.val for each in what.classes), default=1) or 1
            room = max(8, self._width - 2 * self._digits - 16 - (_FACTS if self._beside else 0))
            self._name_width = min(max((len(each.name) for each in what.classes), default=5), room)
            self._name_width = max(5, self._name_width)
            self._head = self._facts(what)
        else:
            self._beside = False
            self._counts = ()
            self._head = self._wrapped(what, "$error" if kind == "error" else "$quiet")
            if kind == "error":
                self._head += [Content(""), *(Content.styled(each, "$quiet") for each in _LAYOUTS)]
        lines = len(self._counts) + 1 if self._counts else 0
        if self._beside:
            self.set_count(max(len(self._head), lines))
        else:
            self.set_count(len(self._head) + (lines + 1 if lines else 0))

    def _facts(self, report: Report) -> list[Content]:
        so_far = "" if report.listed else " so far"
        lines = [
            self._fact("layout", report.layout),
            self._fact("classes", f"{len(report.classes):,}"),
            self._fact(
                "images",
                f"{report.train_images:,} to train, {report.val_images:,} to validate{so_far}",
            ),
        ]
        if report.held_out:
            lines += self._long_fact("validation", self.held_out, "$warning")
        else:
            lines.append(self._fact("validation", "the folder's own images"))
        if report.imbalance is not None:
            even = "all classes alike" if report.imbalance < 1.005 else ""
            uneven = f"largest {report.imbalance:.3g}x the smallest"
            lines.append(self._fact("balance", even or uneven))
        if report.typical_width and report.typical_height:
            size = f"{report.typical_width} x {report.typical_height} px"
        else:
            size = "–"
        so_far = "" if report.complete else " so far"
        lines.append(self._fact("typical size", size))
        lines.append(self._fact("on disk", f"{_bytes(report.bytes)}{so_far}"))
        lines.append(self._reading(report))
        if report.unreadable:
            names = ", ".join(report.unreadable_names)
            lines += self._long_fact("unreadable", f"{report.unreadable:,}: {names}", "$warning")
        if report.ignored:
            lines.append(self._fact("ignored", f"{report.ignored:,} files that are no images"))
        for notice in report.notices:
            lines += self._long_fact("note", notice, "$warning")
        return lines

    def _reading(self, report: Report) -> Content:
        if report.complete:
            return self._fact("headers", f"all {report.headers_read:,} read")
        share = report.headers_read / max(1, report.images)
        count = f"{report.headers_read:,} of {report.images:,}"
        return Content.assemble(
            ("headers".ljust(_LABEL), "$quiet"), *_bar(share, 0.0, 12), f" {count}"
        )

    def _class_heading(self) -> Content:
        return Content.assemble(
            ("class".ljust(self._name_width), "$quiet"),
            ("train".rjust(self._digits + 1), "$series-train"),
            ("val".rjust(self._digits + 1), "$series-validation"),
        )

    def _class_line(self, number: int, width: int) -> Content:
        """The line of a class; before the first stands the heading, before that an empty one."""
        if number < -1 or number >= len(self._counts):
            return Content("")
        if number == -1:
            return self._class_heading()
        each = self._counts[number]
        name = Content(each.name).truncate(self._name_width, ellipsis=True, pad=True)
        room = min(40, width - self._name_width - 2 * self._digits - 5)
        counts = f"{each.train:,}".rjust(self._digits + 1) + f"{each.val:,}".rjust(self._digits + 1)
        bar = _bar(each.train / self._largest, each.val / self._largest, room) if room > 3 else []
        return Content.assemble(name, counts, "  ", *bar)

    def _fact(self, label: str, value: str) -> Content:
        return Content.assemble((label.ljust(_LABEL), "$quiet"), " ", value)

    def _long_fact(self, label: str, value: str, style: str) -> list[Content]:
        width = _FACTS - 3 if self._beside else self._width
        wrapped = textwrap.wrap(value, max(20, width - _LABEL - 1)) or [""]
        return [
            Content.assemble((("" if n else label).ljust(_LABEL), "$quiet"), " ", (line, style))
            for n, line in enumerate(wrapped)
        ]

    def _wrapped(self, text: str, style: str) -> list[Content]:
        lines = textwrap.wrap(text, max(20, self._width - 1), break_long_words=True)
        return [Content.styled(line, style) for line in lines]


_LAYOUTS = (
    "What can be trained on:",
    "  train/CLASS/*.jpg  val/CLASS/*.jpg",
    "  CLASS/*.jpg            a part is held out",
    "  Tiny ImageNet          as it is unpacked",
)


def _bar(first: float, second: float, width: int) -> list[tuple[str, str]]:
    """Two shares of ``width`` cells one after the other, and the rest of it faint."""
    one = round(first * width) if first <= 0 else max(1, round(first * width))
    two = min(width - one, round(second * width) if second <= 0 else max(1, round(second * width)))
    return [
        ("━" * one, "$series-train"),
        ("━" * two, "$series-validation"),
        ("━" * (width - one - two), "$faint" if second == 0.0 and first < 1 else "$background"),
    ]


def _bytes(size: int) -> str:
    amount = float(size)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.2f} TiB"
