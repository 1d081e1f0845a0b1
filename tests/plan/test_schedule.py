"""Pipeline schedules: what must hold for every number of stages and micro-batches."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.plan.schedule import Kind, Op, Schedule, bubble, clock_cycles, schedule

kinds = st.sampled_from(["gpipe", "1f1b"])
stage_counts = st.integers(1, 9)
micro_batch_counts = st.integers(1, 24)
schedules = st.builds(schedule, kinds, stage_counts, micro_batch_counts, last_first=st.booleans())


def times(made: Schedule) -> list[dict[Op, int]]:
    """The cycle of every operation, by stage."""
    return [{op: cycle for cycle, op in enumerate(row) if op is not None} for row in made.grid]


@given(schedules)
def test_every_micro_batch_passes_every_stage_once_forward_and_once_backward(
    made: Schedule,
) -> None:
    every = {Op(way, each) for way in ("F", "B") for each in range(made.micro_batches)}
    assert len(made.orders) == len(made.grid) == made.stages
    for order, row in zip(made.orders, made.grid, strict=True):
        assert len(order) == 2 * made.micro_batches
        assert set(order) == every
        assert tuple(op for op in row if op is not None) == order
        assert len(row) == made.cycles


@given(schedules)
def test_nothing_is_computed_before_what_it_needs(made: Schedule) -> None:
    at = times(made)
    for stage in range(made.stages):
        for each in range(made.micro_batches):
            forward, backward = Op("F", each), Op("B", each)
            assert at[stage][forward] < at[stage][backward]
            if stage:
                assert at[stage - 1][forward] < at[stage][forward]
                assert at[stage][backward] < at[stage - 1][backward]


@given(schedules)
def test_the_idle_share_of_the_grid_is_the_bubble(made: Schedule) -> None:
    assert made.idle_share == pytest.approx(bubble(made.stages, made.micro_batches))


@given(stage_counts, micro_batch_counts)
def test_the_forward_half_of_gpipe_has_the_same_bubble(n: int, m: int) -> None:
    made = schedule("gpipe", n, m)
    half = made.cycles // 2
    idle = sum(row[:half].count(None) for row in made.grid)
    assert all(op is None or op.direction == "F" for row in made.grid for op in row[:half])
    assert all(op is None or op.direction == "B" for row in made.grid for op in row[half:])
    assert idle / (n * half) == pytest.approx(bubble(n, m))


@given(stage_counts, micro_batch_counts)
def test_the_forward_half_of_gpipe_is_its_clock_cycles(n: int, m: int) -> None:
    made = schedule("gpipe", n, m)
    for cycle, tasks in enumerate(clock_cycles(n, m)):
        column = [row[cycle] for row in made.grid]
        there = {stage: op.micro_batch for stage, op in enumerate(column) if op is not None}
        assert {stage: each for each, stage in tasks} == there
        assert all(each + stage == cycle for each, stage in tasks)


@given(stage_counts, micro_batch_counts)
def test_gpipe_goes_back_as_it_came(n: int, m: int) -> None:
    grid = schedule("gpipe", n, m).grid
    for row in grid:
        turned = [None if op is None else Op("F", op.micro_batch) for op in reversed(row)]
        assert turned[: len(row) // 2] == list(row[: len(row) // 2])


@given(stage_counts, micro_batch_counts)
def test_activations_held(n: int, m: int) -> None:
    assert schedule("gpipe", n, m).held == (m,) * n
    assert schedule("1f1b", n, m).held == tuple(min(m, n - stage) for stage in range(n))


@given(stage_counts, micro_batch_counts)
def test_1f1b_takes_turns_between_warming_up_and_cooling_down(n: int, m: int) -> None:
    for stage, order in enumerate(schedule("1f1b", n, m).orders):
        warm_up = min(m, n - stage - 1)
        ways = "".join(op.direction for op in order)
        assert ways == "F" * warm_up + "FB" * (m - warm_up) + "B" * warm_up


def test_a_known_1f1b() -> None:
    rows = [
        " ".join("." if op is None else f"{op.direction}{op.micro_batch}" for op in row)
        for row in schedule("1f1b", 3, 4).grid
    ]
    assert rows == [
        "F0 F1 F2 . . B0 F3 B1 . B2 . B3",
        ". F0 F1 . B0 F2 B1 F3 B2 . B3 .",
        ". . F0 B0 F1 B1 F2 B2 F3 B3 . .",
    ]


def test_the_bubble_of_known_pipelines() -> None:
    assert bubble(1, 4) == 0.0
    assert bubble(2, 8) == pytest.approx(1 / 9)
    assert bubble(4, 1) == 0.75


@pytest.mark.parametrize("kind", ["gpipe", "1f1b"])
@pytest.mark.parametrize(("n", "m"), [(0, 4), (2, 0)])
def test_nothing_to_compute_is_refused(kind: Kind, n: int, m: int) -> None:
    with pytest.raises(ValueError, match="1 or more of each"):
        schedule(kind, n, m)
