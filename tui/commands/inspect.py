"""``resnet-tui inspect DATASET``: what a folder of images holds, and what is wrong with it."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from tui.commands import arguments as shared

if TYPE_CHECKING:
    from engine.plan.inspection import Report

_CLASSES = 40
"""Classes that are listed; of more, the rest is counted."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("dataset", metavar="DATASET", help="a folder of images")


def run(arguments: argparse.Namespace) -> int:
    from engine.plan import defaults, inspection

    folder = shared.folder(arguments.dataset)
    settings = defaults.resolve(folder, {}).settings
    report: Report | None = None
    counting = sys.stderr.isatty()
    for report in inspection.inspect(folder, settings.val_fraction, settings.seed):
        if counting:
            line = f"\r{report.headers_read:,} of {report.images:,} headers read"
            print(line, end="", file=sys.stderr, flush=True)
    if counting:
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)
    if report is not None:
        _print(report)
    return 0


def _print(report: Report) -> None:
    from rich.text import Text

    from engine.plan.text import clean
    from tui.commands.table import emit, plain_table
    from tui.widgets import format as show

    facts = plain_table()
    facts.show_header = False
    facts.add_column()
    facts.add_column()
    held = " (held out here: the folder has no validation images)" if report.held_out else ""
    size = (
        f"{report.typical_width} x {report.typical_height} px"
        if report.typical_width is not None
        else show.UNKNOWN
    )
    for name, value in (
        ("folder", clean(report.folder)),
        ("layout", report.layout),
        ("classes", show.count(len(report.classes))),
        ("training images", show.count(report.train_images)),
        ("validation images", show.count(report.val_images) + held),
        ("largest : smallest class", f"{report.imbalance:.2f} : 1"),
        ("typical size", size),
        ("size of all files", _size(report.bytes)),
        ("ignored files", show.count(report.ignored)),
        ("unreadable headers", show.count(report.unreadable)),
    ):
        facts.add_row(Text(name), Text(value, overflow="fold"))
    emit(facts)
    for notice in report.notices:
        emit(Text(f"  note: {notice}"))
    for name in report.unreadable_names:
        emit(Text(f"  unreadable: {clean(name)}"))
    classes = plain_table()
    classes.add_column("class", overflow="fold")
    classes.add_column("train", justify="right")
    classes.add_column("val", justify="right")
    for each in report.classes[:_CLASSES]:
        row = (clean(each.name), show.count(each.train), show.count(each.val))
        classes.add_row(*map(Text, row))
    emit("")
    emit(classes)
    if len(report.classes) > _CLASSES:
        emit(Text(f"... and {len(report.classes) - _CLASSES:,} more classes"))


def _size(size: int) -> str:
    from tui.widgets import format as show

    return show.gib(size) if size >= 1 << 20 else f"{size / 1024:.0f} KiB"
