"""The lines above the charts: state, numbers, progress, strategies. Pure."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from textual.content import Content

from engine.journal.views import RunView
from tui.widgets import format as show
from tui.widgets.line import bar

SIGNS = {
    "queued": ("◌", "$quiet"),
    "starting": ("◔", "$accent"),
    "running": ("●", "$success"),
    "stopping": ("◒", "$warning"),
    "done": ("✓", "$success"),
    "failed": ("✗", "$error"),
    "stopped": ("■", "$warning"),
    "crashed": ("✗", "$error"),
    "silent": ("?", "$warning"),
}
"""How each state looks: a sign of its own, so that colour only helps."""


@dataclass(frozen=True, slots=True)
class Tab:
    """A strategy among those of the experiment."""

    number: int
    strategy: str
    state: str
    top1: float | None
    shown: bool
    overlaid: bool
    which: str = ""
    """Of the runs of the strategy, where there are several: ``2/3``."""


@dataclass(frozen=True, slots=True)
class Figures:
    """The latest numbers of a run. Shares in 0..1, ``None`` unknown."""

    loss: float | None = None
    top1: float | None = None
    val_top1: float | None = None
    best_top1: float | None = None
    throughput: float | None = None
    wait_share: float | None = None
    step_seconds: float | None = None


def status(state: str, words: str, about: Sequence[str], right: str, width: int) -> Content:
    """``● running   digits · resnet18 · single · cpu            run 1 of 2``."""
    sign, colour = SIGNS.get(state, ("·", "$quiet"))
    left = Content.assemble((f"{sign} {words}", f"bold {colour}"), "   ")
    facts = [each for each in about if each]
    least = left.cell_length + len(facts[0] if facts else "") + 3
    if least + len(right) > width:
        # Which run it is counts for more than when all will be done.
        right = right.partition(",")[0]
        right = right if least + len(right) <= width else ""
    room = width - left.cell_length - (len(right) + 3 if right else 0)
    while len(facts) > 1 and sum(len(each) + 3 for each in facts) - 3 > room:
        facts.pop()
    middle = Content(" · ").join(
        Content.styled(each, "bold $foreground" if place == 0 else "$quiet")
        for place, each in enumerate(facts)
    )
    gap = max(3, width - left.cell_length - middle.cell_length - len(right))
    return Content.assemble(left, middle, " " * gap if right else "", (right, "$quiet"))


def numbers(figures: Figures, width: int, *, ended: bool = False) -> Content:
    """The latest figures in order of weight, as many as fit; of a run that has ended they are of
    its last steps, and say so."""
    wide = width >= 110
    gauge = bar(figures.wait_share, 14 if wide else 6, "$series-wait")
    waiting = show.percent(figures.wait_share)
    parts = [
        _figure("loss", show.plain(figures.loss), 6, "$series-train"),
        _figure("top-1", show.percent(figures.top1), 7, "$series-train"),
        _figure(
            "val top-1" if wide else "val",
            show.percent(figures.val_top1),
            7,
            "$series-validation",
        ),
        _figure("", f"{show.rate(figures.throughput)} images/s", 10, "$series-speed"),
        Content.assemble(
            ("waiting for data " if wide else "waiting ", "$quiet"),
            "" if ended and not wide else Content.assemble(gauge, " "),
            (f"{waiting:>6}", "bold $series-wait"),
        ),
    ]
    if wide:
        parts.insert(3, _figure("best", show.percent(figures.best_top1), 7, "$series-validation"))
        parts.append(_figure("step", show.seconds(figures.step_seconds), 7, "$series-time"))
    line = Content("")
    gap = "    " if wide else "  "
    if ended:
        line = Content.styled("at its end" if wide else "at end", "$quiet")
    for part in parts:
        if line.plain and line.cell_length + len(gap) + part.cell_length > width:
            break
        line = Content.assemble(line, gap, part) if line.plain else part
    return line


def _figure(label: str, value: str, width: int, style: str) -> Content:
    """A value, right-aligned, so that the line stands still while it changes."""
    return Content.assemble(
        (f"{label} " if label else "", "$quiet"), (value.rjust(width), f"bold {style}")
    )


def progress(
    run: RunView,
    state: str,
    fraction: float | None,
    epoch_fraction: float | None,
    eta: float | None,
    width: int,
) -> Content:
    """``epoch 3/10 at 57 %  ━━━━━━━━────────────  28 %  ~3 min left``."""
    epochs = run.ready.epochs if run.ready is not None else None
    epoch = min(run.epoch + 1, epochs) if epochs else run.epoch + 1
    label = f"epoch {epoch}/{epochs if epochs else show.UNKNOWN}"
    if run.state == "running" and epoch_fraction is not None and width >= 70:
        label += f" at {epoch_fraction * 100:.0f} %"
        label = label.ljust(len(f"epoch {epochs}/{epochs} at 100 %"))
    if state == "stopping":
        # What is left of the plan is not what is left to be done.
        right = ""
    elif state == "running":
        right = f"{show.about(eta)} left" if eta is not None else ""
    elif run.started and run.ended and run.state != "running":
        right = f"took {show.seconds(run.ended - run.started)}"
    else:
        right = ""
    share = "–" if fraction is None else f"{fraction * 100:.0f}"
    tail = f"{share:>4} %  {right}"
    tail = tail.ljust(24 if width >= 70 else len(tail))
    room = max(4, width - len(label) - len(tail) - 3)
    style = {
        "done": "$success",
        "failed": "$error",
        "stopped": "$warning",
        "crashed": "$error",
    }.get(state, "$series-train")
    return Content.assemble(
        (label, "$quiet"),
        "  ",
        bar(fraction, room, style),
        (tail[:6], "bold $foreground"),
        (tail[6:], "$quiet"),
    )


def reading(share: float, width: int) -> Content:
    """Shown while a long history is read."""
    label = "reading the journal"
    room = max(4, width - len(label) - 9)
    return Content.assemble(
        (label, "$quiet"), "  ", bar(share, room, "$accent"), (f" {share * 100:>3.0f} %", "bold")
    )


def tabs(entries: Sequence[Tab], width: int) -> Content:
    """``▌1 single ✓ 98.2 %   2 amp ●``; without accuracies where they do not all fit.

    The shown one is always there; what still does not fit is counted on either side.
    """
    pieces = [_tab(each) for each in entries]
    if sum(piece.cell_length + 1 for piece in pieces) > width:
        pieces = [_tab(each if each.shown else replace(each, top1=None)) for each in entries]
    shown = next((place for place, each in enumerate(entries) if each.shown), 0)
    first, last = _window([piece.cell_length + 1 for piece in pieces], shown, width)
    line = Content.styled(f" +{first} " if first else "", "$quiet")
    for piece in pieces[first : last + 1]:
        line = Content.assemble(line, piece, " ")
    rest = len(pieces) - 1 - last
    return Content.assemble(line, (f" +{rest}" if rest else "", "$quiet"))


def _window(widths: Sequence[int], shown: int, room: int) -> tuple[int, int]:
    """The first and the last of those around ``shown`` that fit, the ones before it foremost."""
    first = last = shown
    room -= widths[shown]
    while True:
        # What is left out on a side is counted there, in up to five cells.
        if first > 0 and widths[first - 1] <= room - _counts(first - 1, len(widths) - 1 - last):
            first -= 1
            room -= widths[first]
        elif last + 1 < len(widths) and widths[last + 1] <= room - _counts(
            first, len(widths) - 2 - last
        ):
            last += 1
            room -= widths[last]
        else:
            return first, last


def _counts(before: int, after: int) -> int:
    return 5 * (before > 0) + 5 * (after > 0)


def _tab(entry: Tab) -> Content:
    sign, colour = SIGNS.get(entry.state, ("·", "$quiet"))
    shown = entry.shown or entry.overlaid
    edge = "bold $foreground on $panel" if shown else "$quiet"
    accuracy = f" {show.percent(entry.top1)}" if entry.top1 is not None else ""
    background = " on $panel" if shown else ""
    which = f"{entry.which} " if entry.which else ""
    return Content.assemble(
        ("▌" if shown else " ", f"$accent{background}"),
        (f"{entry.number} {entry.strategy} ", edge),
        (which, f"$quiet{background}"),
        (sign, f"bold {colour}{background}"),
        (accuracy + " ", edge),
    )


def clock(t: float) -> str:
    """The time of day of a Unix time, here."""
    return time.strftime("%H:%M:%S", time.localtime(t))
