"""Step events on their way into columns: checked one by one, decoded many at a time."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.journal.events import Steps

LARGEST_STEP = 2**40
MOST_METRICS = 64
LATEST = 2.0**33
"""Unix seconds (the year 2242) after which a time is damage."""

_ITEM = 4
"""Bytes of a float32."""


def is_sound(event: Steps) -> bool:
    """Whether the parts of an event fit each other and are of this world."""
    return (
        event.count > 0
        and 0 <= event.first <= LARGEST_STEP - event.count
        and len(event.names) == len(event.columns) <= MOST_METRICS
        and set(map(len, event.columns)) == {_ITEM * event.count}
        and 0.0 <= event.since <= LATEST
    )


def without_first(event: Steps, rows: int) -> Steps:
    """The event without its first ``rows`` rows (fewer than it has)."""
    since = event.since
    if "step_seconds" in event.names:
        column = event.columns[event.names.index("step_seconds")]
        seconds = np.frombuffer(column, "<f4", rows).astype(np.float64)
        since += float(seconds[np.isfinite(seconds)].sum())
    return msgspec.structs.replace(
        event,
        first=event.first + rows,
        count=event.count - rows,
        since=since,
        columns=tuple(column[_ITEM * rows :] for column in event.columns),
    )


def values(events: Sequence[Steps]) -> NDArray[np.float32]:
    """The columns of events that share their names, one after the other: (names, rows).

    What is not finite becomes NaN.
    """
    columns, count = len(events[0].names), events[0].count
    if all(event.count == count for event in events):
        joined = b"".join(chain.from_iterable(event.columns for event in events))
        cube = np.frombuffer(joined, "<f4").reshape(len(events), columns, count)
        result = cube.transpose(1, 0, 2).reshape(columns, -1).astype(np.float32)
    else:
        result = np.stack(
            [
                np.frombuffer(b"".join([event.columns[k] for event in events]), "<f4")
                for k in range(columns)
            ]
        ).astype(np.float32)
    finite = np.isfinite(result)
    if not finite.all():
        result[~finite] = np.nan
    return result


def times(
    events: Sequence[Steps], step_seconds: NDArray[np.float32] | None
) -> tuple[NDArray[np.float64], float]:
    """When each row of the events began (Unix, seconds), and when the last one ended."""
    counts = np.array([event.count for event in events])
    since = np.repeat(np.array([event.since for event in events]), counts)
    if step_seconds is None:
        return since, float(since[-1])
    seconds = np.nan_to_num(step_seconds.astype(np.float64), nan=0.0).clip(min=0.0)
    ends = np.cumsum(seconds)
    begins = ends - seconds
    firsts = np.concatenate(([0], np.cumsum(counts)[:-1]))
    result = since + begins - np.repeat(begins[firsts], counts)
    return result, float(result[-1] + seconds[-1])
