"""How much faster one row is than another. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from engine.report.comparison import Row
from engine.report.difference import Difference
from engine.report.paired import is_rate, paired, unpaired


def rates(row: Row) -> dict[int, float]:
    """The throughput of each repeat that is done."""
    return {
        each.repeat: each.images_per_second
        for each in row.repeats
        if each.repeats and each.images_per_second is not None and is_rate(each.images_per_second)
    }


def is_comparable(row: Row, other: Row) -> bool:
    """Whether both have something done, on the same kind of device."""
    same = row.figures.device_kind == other.figures.device_kind
    return same and bool(rates(row)) and bool(rates(other))


def difference(row: Row, other: Row, comparisons: int) -> Difference:
    """Paired by repeat within an experiment; its interval is one of ``comparisons``."""
    way = paired if row.figures.experiment == other.figures.experiment else unpaired
    return way(rates(row), rates(other), comparisons)


def compared(rows: Sequence[Row], baseline: Row | None) -> list[Row]:
    """Each with its difference to the baseline, corrected for as many as are compared with it."""
    if baseline is None:
        return list(rows)
    several = sum(row is not baseline and is_comparable(row, baseline) for row in rows)
    return [_compared(row, baseline, several) for row in rows]


def _compared(row: Row, baseline: Row, several: int) -> Row:
    if row is baseline:
        found = Difference(call="baseline", ratio=1.0 if rates(row) else None)
        return replace(row, difference=found)
    if not is_comparable(row, baseline):
        return row
    found = difference(row, baseline, several)
    return replace(row, difference=found, scaling_efficiency=_scaling(row, baseline, found.ratio))


def _scaling(row: Row, baseline: Row, ratio: float | None) -> float | None:
    """Of what uses more GPUs than the baseline; processes on a CPU share the same cores."""
    used, before = row.figures.device_count, baseline.figures.device_count
    if ratio is None or row.figures.device_kind in (None, "cpu") or not used or not before:
        return None
    return ratio / (used / before) if used > before else None
