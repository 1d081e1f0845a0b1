"""The history against brute force: random growth, resumes, ranks and queries, by plain numpy."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from engine.journal.events import AttemptStarted
from engine.journal.history import Axis, Buckets, History, HistoryView
from tests.journal.writing import steps_of

METRICS = ("loss", "images", "step_seconds", "lr")
EPOCH = 37
START = 1_700_000_000.0

Rows = NDArray[np.float64]


@dataclass
class Part:
    """One rank in one attempt: values (metrics, rows) and when each row began."""

    values: Rows = field(default_factory=lambda: np.empty((len(METRICS), 0)))
    times: Rows = field(default_factory=lambda: np.empty(0))
    clock: float = START


@dataclass
class Attempt:
    base: int
    parts: list[Part]


class Plain:
    """The same history kept as plain rows, cut and combined in the most obvious way."""

    def __init__(self, ranks: int) -> None:
        self.ranks = ranks
        self.attempts = [Attempt(0, [Part() for _ in range(ranks)])]

    def resume(self, step: int) -> None:
        for attempt in self.attempts:
            keep = max(0, step - attempt.base)
            for part in attempt.parts:
                part.values, part.times = part.values[:, :keep], part.times[:keep]
        clock = max(part.clock for part in self.attempts[-1].parts) + 1000.0
        self.attempts.append(Attempt(step, [Part(clock=clock) for _ in range(self.ranks)]))

    def curve(self, rank: int | None) -> tuple[NDArray[np.int64], Rows, Rows]:
        """Step numbers, values (metrics, rows) and positions in time of what counts."""
        steps, values, seconds = [], [], []
        shift = 0.0
        for attempt in self.attempts:
            if rank is not None:
                rows, times = attempt.parts[rank].values, attempt.parts[rank].times
            else:
                count = min(part.values.shape[1] for part in attempt.parts)
                rows = _combined([part.values[:, :count] for part in attempt.parts])
                times = attempt.parts[0].times[:count]
            if not len(times):
                continue
            steps.append(attempt.base + np.arange(len(times)))
            values.append(rows)
            seconds.append(times - times[0] + shift)
            # Where the cut-away rows began is where the kept ones end; gaps are not in this test.
            own = rows[2] if rank is not None else attempt.parts[0].values[2]
            shift = seconds[-1][-1] + np.nan_to_num(own[len(times) - 1])
        if not steps:
            return np.empty(0, np.int64), np.empty((len(METRICS), 0)), np.empty(0)
        return np.concatenate(steps), np.concatenate(values, axis=1), np.concatenate(seconds)


def _combined(ranks: list[Rows]) -> Rows:
    if len(ranks) == 1:
        return ranks[0]
    result = np.full_like(ranks[0], np.nan)
    for row in range(result.shape[1]):
        loss, images, seconds, rate = (
            np.array([values[metric, row] for values in ranks]) for metric in range(4)
        )
        there = ~np.isnan(loss)
        weights = np.nan_to_num(images[there])
        if weights.sum() > 0:
            result[0, row] = (loss[there] * weights).sum() / weights.sum()
        if not np.isnan(images).all():
            result[1, row] = np.nansum(images)
        if not np.isnan(seconds).all():
            result[2, row] = np.nanmax(seconds)
        if not np.isnan(rate).all():
            result[3, row] = rate[~np.isnan(rate)][0]
    return result


class Growing:
    """Feeds the history and its plain twin with the same rows."""

    def __init__(self, ranks: int, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        self.history = History()
        self.history.set_epoch_length(EPOCH)
        self.plain = Plain(ranks)
        self.attempt = 1
        self._begin(0)

    def _begin(self, step: int) -> None:
        for rank in range(self.plain.ranks):
            self.history.begin(
                self.attempt,
                AttemptStarted(
                    journal="",
                    host="",
                    pid=1,
                    boot="",
                    rank=rank,
                    world_size=self.plain.ranks,
                    from_step=step,
                ),
            )

    def add(self, rank: int, count: int) -> None:
        part = self.plain.attempts[-1].parts[rank]
        first = self.plain.attempts[-1].base + part.values.shape[1]
        values = self._values(count)
        self.history.add(
            self.attempt, rank, steps_of(first, part.clock, dict(zip(METRICS, values, strict=True)))
        )
        rows = np.where(np.isfinite(values), values, np.nan).astype(np.float64)
        seconds = np.nan_to_num(rows[METRICS.index("step_seconds")])
        begins = part.clock + np.cumsum(seconds) - seconds
        part.values = np.concatenate([part.values, rows], axis=1)
        part.times = np.concatenate([part.times, begins])
        part.clock = float(begins[-1] + seconds[-1])

    def resume(self, back: int) -> None:
        attempt = self.plain.attempts[-1]
        end = attempt.base + min(part.values.shape[1] for part in attempt.parts)
        step = max(0, end - back)
        self.plain.resume(step)
        self.attempt += 1
        self._begin(step)

    def _values(self, count: int) -> NDArray[np.float32]:
        random = self.random
        loss = random.normal(2.0, 0.5, count)
        loss[random.random(count) < 0.02] = np.nan
        loss[random.random(count) < 0.01] = np.inf
        loss[random.random(count) < 0.01] = 1e4
        return np.stack(
            [
                loss,
                random.integers(0, 64, count).astype(np.float64),
                random.uniform(0.001, 0.1, count),
                np.full(count, 0.05),
            ]
        ).astype(np.float32)


def _check(
    view: HistoryView, plain: Plain, rank: int | None, query: tuple[float, float, int]
) -> None:
    steps, values, seconds = plain.curve(rank)
    if not len(steps):
        assert view.last("loss", rank) is None
        assert len(view.buckets("loss", "step", 0, 1e9, 10, rank).x) == 0
        return
    positions: dict[Axis, Rows] = {
        "step": steps.astype(np.float64),
        "epoch": steps / EPOCH,
        "time": seconds,
    }
    begin, share, columns = query
    for axis, x in positions.items():
        low = x[0] + begin * (x[-1] - x[0]) + 1.23e-4
        high = low + share * (x[-1] - x[0])
        for metric in (0, 2) if axis == "step" else (0,):
            found = view.buckets(METRICS[metric], axis, low, high, columns, rank)
            _check_buckets(found, x, values[metric], (low, high), columns)
    _check_numbers(view, rank, steps, values)


def _check_buckets(
    found: Buckets, x: Rows, values: Rows, limits: tuple[float, float], columns: int
) -> None:
    inside = (x >= limits[0]) & (x <= limits[1])
    x, values = x[inside], values[inside]
    if not len(x):
        assert len(found.x) == 0
        return
    assert len(found.x) >= min(len(x), 4 * columns)
    assert len(found.x) < 8 * columns + 10
    # Every bucket is what lies between its x and the next one's.
    begins = np.searchsorted(x, found.x - 1e-5)
    np.testing.assert_allclose(x[begins], found.x, rtol=1e-9, atol=1e-5)
    assert begins[0] == 0
    assert (np.diff(begins) > 0).all()
    ends = np.append(begins[1:], len(x))
    for number, (start, stop) in enumerate(zip(begins, ends, strict=True)):
        rows = values[start:stop]
        rows = rows[~np.isnan(rows)]
        assert found.count[number] == len(rows)
        if not len(rows):
            assert np.isnan(found.mean[number])
            continue
        assert found.low[number] == np.float32(rows.min())
        assert found.high[number] == np.float32(rows.max())
        np.testing.assert_allclose(found.mean[number], rows.mean(), rtol=1e-5)
        np.testing.assert_allclose(found.std[number], rows.std(), rtol=1e-3, atol=2e-3)


def _check_numbers(
    view: HistoryView, rank: int | None, steps: NDArray[np.int64], values: Rows
) -> None:
    newest = values[0, -1]
    last = view.last("loss", rank)
    assert last is None if np.isnan(newest) else last == np.float32(newest)
    recent = values[0, -50:]
    mean = view.mean("loss", 50, rank)
    if np.isnan(recent).all():
        assert mean is None
    else:
        assert mean is not None
        np.testing.assert_allclose(mean, np.nanmean(recent), rtol=1e-4)
    assert len(np.unique(steps)) == len(steps)
    if rank is None:
        assert view.steps == steps[-1] + 1
    middle = int(steps[len(steps) // 2])
    rows = view.rows("step_seconds", middle, int(steps[-1]) + 1, rank)
    if np.array_equal(np.diff(steps), np.ones(len(steps) - 1)):
        np.testing.assert_array_equal(rows, values[2, len(steps) // 2 :].astype(np.float32))


_GROWTH = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.integers(1, 300)),
        st.tuples(st.just("many"), st.integers(300, 6000)),
        st.tuples(st.just("one rank"), st.integers(1, 500)),
        st.tuples(st.just("resume"), st.integers(0, 700)),
        st.tuples(st.just("freeze"), st.just(0)),
    ),
    min_size=1,
    max_size=14,
)
_QUERY = st.tuples(st.floats(-0.1, 1.0), st.floats(0.001, 1.2), st.integers(1, 25))


@settings(max_examples=30, deadline=None)
@given(
    ranks=st.sampled_from([1, 1, 3]),
    seed=st.integers(0, 2**31),
    growth=_GROWTH,
    queries=st.lists(_QUERY, min_size=2, max_size=3),
)
def test_every_answer_is_what_plain_rows_give(
    ranks: int, seed: int, growth: list[tuple[str, int]], queries: list[tuple[float, float, int]]
) -> None:
    growing = Growing(ranks, seed)
    for what, amount in growth:
        if what == "resume":
            growing.resume(amount)
        elif what == "freeze":
            growing.history.freeze()
        elif what == "one rank":
            growing.add(int(growing.random.integers(ranks)), amount)
        else:
            for rank in range(ranks):
                for piece in (amount // 3, amount - amount // 3):
                    if piece:
                        growing.add(rank, piece)
    view = growing.history.freeze()
    for query in queries:
        for rank in (None, *range(ranks)):
            _check(view, growing.plain, rank, query)


@settings(max_examples=15, deadline=None)
@given(ranks=st.sampled_from([1, 2]), seed=st.integers(0, 2**31), growth=_GROWTH, query=_QUERY)
def test_a_frozen_view_never_changes(
    ranks: int, seed: int, growth: list[tuple[str, int]], query: tuple[float, float, int]
) -> None:
    growing = Growing(ranks, seed)
    for rank in range(ranks):
        growing.add(rank, 100)
    taken: list[tuple[HistoryView, list[Buckets], float]] = []
    for what, amount in growth:
        view = growing.history.freeze()
        taken.append((view, _answers(view, query), view.total_seconds()))
        if what == "resume":
            growing.resume(amount)
        else:
            for rank in range(ranks):
                growing.add(rank, max(1, amount))
    for view, answers, seconds in taken:
        assert view.total_seconds() == seconds
        for before, after in zip(answers, _answers(view, query), strict=True):
            for name in ("x", "low", "high", "mean", "std", "count"):
                np.testing.assert_array_equal(getattr(before, name), getattr(after, name))


def _answers(view: HistoryView, query: tuple[float, float, int]) -> list[Buckets]:
    axes: tuple[Axis, ...] = ("step", "time", "epoch")
    answers = []
    for axis in axes:
        low, high = view.extent(axis) or (0.0, 1.0)
        begin = low + query[0] * (high - low)
        answers.append(view.buckets("loss", axis, begin, begin + query[1] * (high - low), query[2]))
    return answers
