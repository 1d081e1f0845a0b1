"""Whether strategies became slower from one experiment to the next. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.plan.runs import View
from engine.plan.text import clean
from engine.report.against import difference, is_comparable, rates
from engine.report.comparison import Comparison, Row
from engine.report.difference import LEAST_REPEATS, Difference
from engine.report.spelling import percent, rate

_ALIKE = (
    ("model", "model"), ("image_size", "image size"), ("batch_size", "batch"),
    ("device_name", "device"),
)  # fmt: skip
"""Figures that a regression test expects to be the same, and what they are called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """A sentence each."""

    slower: tuple[str, ...] = ()
    """What is slower by more than was allowed, and by more than noise."""
    unsure: tuple[str, ...] = ()
    """What is slower by more than was allowed, which may be noise."""
    missing: tuple[str, ...] = ()
    """What could not be compared."""
    unlike: tuple[str, ...] = ()
    """What was compared, and trained something else."""
    compared: int = 0
    """Pairs of rows that were."""


def judge(comparison: Comparison, first: str, allowed: float) -> Judgement:
    """Every strategy of the other experiments against the same one of the experiment ``first``.

    Slower is a throughput below 1 - ``allowed`` times the former. With three repeats or more on
    either side its 95 % interval, corrected for the number of pairs, must lie below 1 as well; with
    fewer the ratio decides alone, and the sentence says so.
    """
    former = _strategies([row for row in comparison.rows if row.figures.experiment == first])
    others = list(dict.fromkeys(row.figures.experiment for row in comparison.rows))
    pairs: list[tuple[Row, Row]] = []
    missing: list[str] = []
    for name in others:
        if name != first:
            found = _pairs(comparison, name, first, former)
            pairs += found[0]
            missing += found[1]
    slower: list[str] = []
    unsure: list[str] = []
    unlike: list[str] = []
    for old, new in pairs:
        if otherwise := _unlike(old, new, comparison.view):
            unlike.append(otherwise)
        told = difference(new, old, len(pairs))
        if told.ratio is None or told.ratio >= 1 - allowed:
            continue
        noise = told.pairs >= LEAST_REPEATS and told.high is not None and told.high >= 1
        (unsure if noise else slower).append(_sentence(old, new, told, noise=noise))
    return Judgement(
        slower=tuple(slower),
        unsure=tuple(unsure),
        missing=tuple(missing),
        unlike=tuple(unlike),
        compared=len(pairs),
    )


def _pairs(
    comparison: Comparison, name: str, first: str, former: dict[str, Row]
) -> tuple[list[tuple[Row, Row]], list[str]]:
    latter = _strategies([row for row in comparison.rows if row.figures.experiment == name])
    pairs: list[tuple[Row, Row]] = []
    missing: list[str] = []
    # In the order of the tables: a set has none.
    for strategy in dict.fromkeys((*former, *latter)):
        old, new = former.get(strategy), latter.get(strategy)
        if old is not None and new is not None and is_comparable(new, old):
            pairs.append((old, new))
            continue
        for row, where in ((old, first), (new, name)):
            if row is None or not rates(row):
                state = "is not in" if row is None else "was not trained to its end in"
                missing.append(f"{clean(strategy)} {state} {clean(where)}")
        if old is not None and new is not None and rates(old) and rates(new):
            kinds = " and ".join(
                each.figures.device_kind or "one that is not known" for each in (old, new)
            )
            missing.append(f"{clean(strategy)} was measured on different devices: {kinds}")
    return pairs, missing


def _strategies(rows: Sequence[Row]) -> dict[str, Row]:
    """By what tells them apart within their experiment."""
    return {_name(row): row for row in rows}


def _name(row: Row) -> str:
    """``single``, or ``single#2`` where one strategy came with several settings."""
    return row.key.removeprefix(f"{row.figures.experiment}/")


def _unlike(old: Row, new: Row, view: View) -> str:
    """A smaller batch or another machine is no regression; the exit code alone would not tell."""
    parts = [
        f"{what} {clean(str(now))} after {clean(str(before))}"
        for name, what in _ALIKE
        # Each has its own best batch.
        if not (name == "batch_size" and view == "best")
        and (before := getattr(old.figures, name)) is not None
        and (now := getattr(new.figures, name)) is not None
        and now != before
    ]
    if not parts:
        return ""
    where = clean(new.figures.experiment)
    return f"{clean(_name(new))} was not trained alike in {where}: {', '.join(parts)}"


def _sentence(old: Row, new: Row, told: Difference, *, noise: bool) -> str:
    before, now = old.figures.images_per_second, new.figures.images_per_second
    said = (
        f"{clean(_name(new))} is {percent(1 - (told.ratio or 0.0))} slower in "
        f"{clean(new.figures.experiment)}: {rate(now)} images/s after {rate(before)}"
    )
    if told.low is not None and told.high is not None and told.pairs >= LEAST_REPEATS:
        interval = f"95 % interval of the ratio {told.low:.3f} to {told.high:.3f}"
        return f"{said} ({interval})" + (", which may be noise" if noise else "")
    runs = f"{told.pairs} repeat{'s' if told.pairs != 1 else ''}"
    return f"{said}; with {runs} noise cannot be told from a difference"
