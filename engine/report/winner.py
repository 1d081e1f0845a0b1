"""Who wins, and by how much more than noise, in a sentence. Pure.

A winner is faster than *every* other row, each by its own 95 % interval: somebody is always ahead,
of equal ones too, but seldom of all by more than noise. That needs no correction for the number of
rows (S. Gutmann & Z. Maymin 1987, "Is the selected population the best?"): the worst case is that
of two that are equally best. Where the baseline is compared, the interval is the one in the table,
which is corrected, so that the two say the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from engine.report.against import difference, rates
from engine.report.cells import factor
from engine.report.comparison import Row
from engine.report.difference import LEAST_REPEATS, TIE, Call, Difference
from engine.report.names import listed, names
from engine.report.paired import MOST_REPEATS, geometric_mean
from engine.report.spelling import UNKNOWN


@dataclass(frozen=True, slots=True)
class _Standing:
    """The fastest row against the others, from the fastest on."""

    leader: Row
    others: tuple[tuple[Row, Difference], ...]
    """How much faster the leader is than each."""
    baseline: Row
    names: dict[str, str]

    def called(self, *calls: str) -> list[Row]:
        return [row for row, told in self.others if told.call in calls]

    def name(self, row: Row) -> str:
        return self.names[row.key]

    def ahead_of(self, row: Row) -> Difference:
        return next(told for each, told in self.others if each.key == row.key)


def verdict(rows: Sequence[Row], baseline: Row | None, *, over: bool) -> str:
    """Of rows with their differences to the baseline, on its kind of device.

    ``over``: nothing of it runs any more, or will. Empty where there are not two rows.
    """
    if baseline is None or len(rows) < 2:
        return ""
    standing = _standing(rows, baseline)
    if standing is None:
        return "no strategy has been trained to its end" + ("" if over else " so far")
    if not standing.others:
        only = f"only {standing.name(standing.leader)} has been trained to its end"
        return only + ("" if over else " so far")
    return _said(standing) if over else f"so far {_said(standing)}"


def _standing(rows: Sequence[Row], baseline: Row) -> _Standing | None:
    done = [row for row in rows if rates(row)]
    kinds = [row.figures.device_kind for row in (baseline, *done) if rates(row)]
    there = [row for row in done if row.figures.device_kind == kinds[0]]
    if not there:
        return None
    leader, *others = sorted(there, key=lambda row: -(geometric_mean(rates(row)) or 0.0))
    against = tuple((row, _ahead(leader, row, baseline)) for row in others)
    # The table's rows, not the caller's baseline, which has no difference yet.
    return _Standing(leader, against, baseline, names(rows))


def _ahead(leader: Row, row: Row, baseline: Row) -> Difference:
    """As the table has it, where the table has it."""
    if row.key == baseline.key:
        return leader.difference
    if leader.key == baseline.key:
        return _turned(row.difference)
    return difference(leader, row, 1)


def _said(standing: _Standing) -> str:
    unsure = standing.called("undecided", "unknown", "slower")
    ties, beaten = standing.called("tie"), standing.called("faster")
    leader = standing.name(standing.leader)
    if max(told.pairs for _, told in standing.others) < LEAST_REPEATS:
        return _too_few(standing)
    if unsure:
        return _unsure(standing, unsure)
    first = listed([leader, *map(standing.name, ties)])
    if not beaten:
        return f"{first} tie: within 1 % of {leader}" if ties[1:] else f"{first} tie, within 1 %"
    verb = "tie as the fastest" if ties else "is fastest"
    return f"{first} {verb}: {_lead(standing, beaten)}"


def _lead(standing: _Standing, beaten: Sequence[Row]) -> str:
    """By how much: against the baseline, and against the next, where that is another."""
    quoted = [row for row in beaten if row.key == standing.baseline.key]
    quoted += [row for row in beaten[:1] if row not in quoted]
    return ", and ".join(
        f"{_factor(standing.ahead_of(row))} times {standing.name(row)}"
        f"{_next(row, beaten, standing)} ({_interval(standing.ahead_of(row))})"
        for row in quoted
    )


def _next(row: Row, beaten: Sequence[Row], standing: _Standing) -> str:
    return ", the next" if row is beaten[0] and len(beaten) > 1 else ""


def _too_few(standing: _Standing) -> str:
    (second, told), *_ = standing.others
    # Where they were asked for they are to come, or were not reached.
    asked = min(len(row.repeats) for row in (standing.leader, second)) >= LEAST_REPEATS
    wanted = f"{LEAST_REPEATS} repeats" if asked else f"--repeats {LEAST_REPEATS}"
    if told.ratio is None:
        return "undecided: no two strategies have a repeat in common that is done"
    one, other = standing.name(standing.leader), standing.name(second)
    if abs(told.ratio - 1.0) <= TIE:
        said = f"undecided: {one} and {other} were as fast within 1 %, "
    else:
        said = f"undecided: {one} had {_factor(told)} times the throughput of {other}, "
    if told.pairs == 1:
        return said + f"but one repeat tells nothing of noise; {wanted} would give an interval"
    return said + (
        f"but with two repeats equal strategies look different one time in three; {wanted} can "
        "decide"
    )


def _unsure(standing: _Standing, unsure: Sequence[Row]) -> str:
    """By the intervals that decide."""
    told = [each for row, each in standing.others if row in unsure]
    leader, beaten = standing.name(standing.leader), standing.called("faster")
    ahead = f"is ahead of {listed([*map(standing.name, beaten)], 4)}" if beaten else "leads"
    said = f"undecided: {leader} {ahead}, but {listed([*map(standing.name, unsure)], 4)} may be as"
    said += f" fast ({_factor(told[0])} times, {_interval(told[0])})"
    needed = [each.repeats_to_settle for each in told if each.repeats_to_settle is not None]
    if len(needed) == len(told):
        return f"{said}; {max(needed)} repeats would settle it"
    if any(each.low is None for each in told):
        return f"{said}; it takes {LEAST_REPEATS} repeats of each to tell"
    return f"{said}; more than {MOST_REPEATS:,} repeats would be needed to settle it"


def _interval(told: Difference) -> str:
    """``95 % interval 1.31 to 1.54, 3 repeats``."""
    of = f"{told.pairs} repeat{'' if told.pairs == 1 else 's'}"
    if told.low is None or told.high is None:
        return of
    return f"95 % interval {_told(told.low, told)} to {_told(told.high, told)}, {of}"


def _factor(told: Difference) -> str:
    return UNKNOWN if told.ratio is None else _told(told.ratio, told)


def _told(value: float, within: Difference) -> str:
    """Three decimals where all of it is near 1, as in the table."""
    ends = (within.ratio, within.low, within.high)
    near = all(abs(each - 1.0) <= 0.05 for each in ends if each is not None)
    return f"{value:.3f}" if near else factor(value)


def _turned(told: Difference) -> Difference:
    """The other way round."""
    ratio, low, high = (1 / each if each else None for each in (told.ratio, told.high, told.low))
    calls: dict[Call, Call] = {"faster": "slower", "slower": "faster"}
    return replace(told, call=calls.get(told.call, told.call), ratio=ratio, low=low, high=high)
