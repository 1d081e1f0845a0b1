"""What must be known before rows are compared, a sentence each. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence

from engine.plan.runs import View
from engine.report.comparison import Row
from engine.report.entries import Entry
from engine.report.findings.shared import THEIRS
from engine.report.names import listed, names
from engine.report.spelling import count


def remarks(rows: Sequence[Row], shown: Sequence[Entry], view: View) -> tuple[str, ...]:
    """The gravest first."""
    called = names(rows)
    said = [
        _kinds(rows),
        _not_finite(rows, called),
        *_went_on(rows, called),
        *_best(rows, shown, called, view),
        *_normalised(rows, called),
        _crowded(shown, called),
        _taking_turns(shown, called),
        _cold(rows, called),
        _growing(rows, called),
        _forgotten(rows, called),
    ]
    return tuple(each for each in said if each)


def _kinds(rows: Sequence[Row]) -> str:
    known = list(dict.fromkeys(row.figures.device_kind for row in rows))
    there = [kind for kind in known if kind]
    if len(there) < 2:
        return ""
    return (
        f"Measured on different kinds of devices ({', '.join(there)}): "
        "times, rates and memory of one kind say nothing about another."
    )


def _not_finite(rows: Sequence[Row], called: dict[str, str]) -> str:
    """Such a run is done, and may be the fastest of all."""
    those = []
    for row in rows:
        done = [each for each in row.repeats if each.repeats]
        lost = [each for each in done if _is_lost(each.train_loss) or _is_lost(each.val_loss)]
        if lost:
            some = f" ({len(lost)} of {len(done)} repeats)" if len(lost) < len(done) else ""
            those.append(called[row.key] + some)
    if not those:
        return ""
    return f"{listed(those)}: the loss is not a finite number, whatever the speed."


def _is_lost(loss: float | None) -> bool:
    return loss is not None and not math.isfinite(loss)


def _went_on(rows: Sequence[Row], called: dict[str, str]) -> list[str]:
    """What a row calls by one name was trained in several ways."""
    said = []
    for row in rows:
        for each in row.repeats:
            if not each.earlier_ways:
                continue
            ways = " and ".join(
                f"{f'as {name}' if name else 'with other switches'} up to step {count(step)}"
                for name, step in each.earlier_ways
            )
            which = f" (repeat {each.repeat + 1})" if len(row.repeats) > 1 else ""
            said.append(
                f"{called[row.key]}{which} was trained {ways}: its rates, times and memory are of "
                "the steps after that, its accuracy is of all."
            )
    return said


def _best(
    rows: Sequence[Row], shown: Sequence[Entry], called: dict[str, str], view: View
) -> list[str]:
    if view != "best":
        return []
    said = []
    steps = [
        (called[row.key], row.figures.optimizer_steps)
        for row in rows
        if row.figures.optimizer_steps
    ]
    if len({number for _, number in steps}) > 1:
        told = ", ".join(f"{name} {count(number)}" for name, number in steps)
        rates = {entry.plan.settings.lr for entry in shown}
        same = "; the learning rate is the same" if len(rates) == 1 else ""
        said.append(f"Each strategy at its best batch: optimiser steps differ ({told}){same}.")
    else:
        said.append("Each strategy at its best batch.")
    there = {(entry.source.name, entry.name) for entry in shown}
    for source in dict.fromkeys(entry.source.name for entry in shown):
        view_of = next(entry.source.view for entry in shown if entry.source.name == source)
        said += [
            f"{search.strategy}: no best batch was found"
            + (f" ({search.found.reason})." if search.found.reason else ".")
            for search in view_of.searches
            if search.found is not None
            and search.found.batch_size is None
            and (source, search.strategy) not in there
        ]
    return said


def _normalised(rows: Sequence[Row], called: dict[str, str]) -> list[str]:
    """It cannot be made equal: what a device does not have it cannot normalise over."""
    seen: dict[tuple[int, int], list[str]] = {}
    for row in rows:
        part, whole = row.figures.norm_batch, row.figures.batch_size
        if part and whole and part < whole:
            seen.setdefault((part, whole), []).append(called[row.key])
    return [
        f"{', '.join(those)}: batch normalisation sees {part} of {whole} images."
        for (part, whole), those in seen.items()
    ]


def _crowded(shown: Sequence[Entry], called: dict[str, str]) -> str:
    """It may have been the same for all, and still times are not what they could be."""
    most, those = 0.0, []
    for entry in shown:
        cores = entry.source.view.cores
        busy = [
            run.conditions.other_cores or 0.0
            for _, run in entry.runs
            if run is not None and run.state == "done" and run.conditions is not None
        ]
        if busy and cores and max(busy) >= THEIRS * cores:
            most = max(most, *busy)
            those.append(called[entry.key])
    if not those:
        return ""
    beside = "all strategies" if len(those) == len(shown) > 1 else listed(those)
    return f"Others kept up to {most:.1f} cores busy beside {beside}: alone it would be faster."


def _taking_turns(shown: Sequence[Entry], called: dict[str, str]) -> str:
    those = [
        called[entry.key]
        for entry in shown
        if any(
            run is not None and run.pipeline and not run.pipeline.overlaps for _, run in entry.runs
        )
    ]
    if not those:
        return ""
    return f"{listed(those)}: the stages share one device and take turns, so no speed-up can come."


def _cold(rows: Sequence[Row], called: dict[str, str]) -> str:
    """Of what is done, which alone is compared: else there may be others still, or never was."""
    rated = _rated(rows)
    those = [called[row.key] for row in rated if not row.figures.steady]
    if not those:
        return ""
    whose = "all rates" if len(those) == len(rated) else f"the rates of {listed(those)}"
    return f"The first epoch, which warms up, is in {whose}: there is no other."


def _growing(rows: Sequence[Row], called: dict[str, str]) -> str:
    """Smaller images are faster, and say nothing of the full ones."""
    rated = _rated(rows)
    those = [called[row.key] for row in rated if not row.figures.grown]
    if not those:
        return ""
    whose = "All rates" if len(those) == len(rated) else f"The rates of {listed(those)}"
    return f"{whose} are of images that had not grown to their full size: these would be slower."


def _rated(rows: Sequence[Row]) -> list[Row]:
    return [
        row for row in rows if row.figures.repeats and row.figures.images_per_second is not None
    ]


def _forgotten(rows: Sequence[Row], called: dict[str, str]) -> str:
    """Long runs do not keep every step in memory; sums and rates lose nothing by it."""
    those = [
        f"{called[row.key]} {count(row.figures.steps_kept)} of {count(row.figures.steps_rated)}"
        for row in rows
        if 0 < row.figures.steps_kept < 0.99 * row.figures.steps_rated
    ]
    if not those:
        return ""
    return f"Median and p95 of the time per batch are of the latest steps ({', '.join(those)})."
