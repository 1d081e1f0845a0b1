from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
import torch

from engine.journal.events import AnyEvent, EpochEstimated, Event, Phase, Steps
from engine.train.clocks import HostClock
from engine.train.estimate import Estimate
from engine.train.rows import METRICS, ROWS, Loading, Row
from engine.train.telemetry import SLOTS, Telemetry
from tests.train.making import column
from tests.train.simulated import Machine

CPU = torch.device("cpu")


class LateClock(HostClock):
    """A device that is behind: a step is finished when the test, or ``wait``, says so."""

    def __init__(self) -> None:
        super().__init__(SLOTS)
        self.done: set[int] = set()
        self.waited = 0

    def begin(self, slot: int) -> None:
        self.done.discard(slot)
        super().begin(slot)

    def finished(self, slot: int) -> bool:
        return slot in self.done

    def wait(self, slot: int) -> None:
        self.waited += slot not in self.done
        self.done.add(slot)


def _tally(*numbers: float) -> torch.Tensor:
    return torch.tensor(numbers, dtype=torch.float32)


def _run(telemetry: Telemetry, steps: Sequence[int]) -> None:
    for step in steps:
        telemetry.begin(step, 0.1 * step)
        telemetry.loaded()
        telemetry.clock.mark("forward")
        telemetry.end(_tally(2.0 * step, 1, 2, 4, 1), None)


def _written(telemetry: Telemetry) -> list[Steps]:
    events = []
    while (event := telemetry.peek()) is not None:
        telemetry.written(event)
        events.append(event)
    return events


def test_a_row_says_what_the_step_was() -> None:
    telemetry = Telemetry(CPU, HostClock(SLOTS))
    telemetry.begin_epoch()
    _run(telemetry, range(3))
    telemetry.harvest()
    (event,) = _written(telemetry)
    assert event.names == tuple(name for name in METRICS if name in event.names)
    assert (event.first, event.count) == (0, 3)
    rows = {name: column([event], name)[2] for name in event.names}
    assert rows["loss"] == 1.0
    assert (rows["top1"], rows["top5"], rows["images"]) == (0.25, 0.5, 4)
    assert rows["lr"] == pytest.approx(0.2)
    assert 0 <= rows["wait_seconds"] <= rows["step_seconds"]
    assert rows["wait_seconds"] + rows["forward_seconds"] <= rows["step_seconds"] * 1.001
    assert not {"backward_seconds", "agree_seconds", "queued", "decode_seconds"} & set(rows)


def test_no_step_is_lost_however_far_the_device_is_behind() -> None:
    clock = LateClock()
    telemetry = Telemetry(CPU, clock)
    telemetry.begin_epoch()
    _run(telemetry, range(2 * SLOTS + 10))
    telemetry.harvest()
    # Full slots are the only thing training waits for, and then for one step and no more: all but
    # one, which the step to come ends in.
    assert clock.waited == 2 * SLOTS + 10 - (SLOTS - 1)
    result = telemetry.finish_epoch()
    steps = 2 * SLOTS + 10
    assert result.sums.images == 4 * steps
    assert result.sums.loss_sum == sum(2.0 * step for step in range(steps))
    assert (result.sums.top1, result.sums.top5) == (steps, 2 * steps)
    assert sorted(column(list(_written(telemetry)), "loss")) == list(range(steps))


def test_a_step_is_taken_when_it_has_ended_and_in_order() -> None:
    clock = LateClock()
    telemetry = Telemetry(CPU, clock)
    telemetry.begin_epoch()
    _run(telemetry, range(3))
    clock.done = {1, 2}
    telemetry.harvest()
    assert telemetry.peek() is None
    clock.done = {0, 1}
    telemetry.harvest()
    (event,) = _written(telemetry)
    assert (event.first, event.count) == (0, 2)
    assert clock.waited == 0


def test_a_gap_in_time_begins_a_new_event() -> None:
    telemetry = Telemetry(CPU, HostClock(SLOTS))
    for epoch in range(2):
        telemetry.begin_epoch()
        _run(telemetry, range(5 * epoch, 5 * epoch + 5))
        telemetry.finish_epoch()
    events = _written(telemetry)
    assert [(event.first, event.count) for event in events] == [(0, 5), (5, 5)]
    assert events[0].since < events[1].since


def test_steps_that_wait_long_go_out_in_pieces_with_their_times() -> None:
    telemetry = Telemetry(CPU, HostClock(SLOTS))
    telemetry.begin_epoch()
    for step in range(100):
        _run(telemetry, [step])
        telemetry.harvest()
    whole = telemetry.peek()
    assert whole is not None
    assert whole.count == 100 < ROWS
    _run(telemetry, [100])
    telemetry.harvest()
    telemetry.written(whole)
    (rest,) = _written(telemetry)
    assert (rest.first, rest.count) == (100, 1)
    assert rest.since >= whole.since + sum(column([whole], "step_seconds").values()) * 0.99


def test_a_loss_that_is_no_number_is_noticed_and_told() -> None:
    telemetry = Telemetry(CPU, HostClock(SLOTS))
    telemetry.begin_epoch()
    _run(telemetry, [0])
    telemetry.begin(1, 0.5)
    telemetry.loaded()
    telemetry.end(_tally(math.nan, 0, 0, 4, 0), None)
    telemetry.harvest()
    wrong = telemetry.not_finite
    assert wrong is not None
    assert (wrong.step, wrong.lr) == (1, 0.5)
    assert math.isnan(column(list(_written(telemetry)), "loss")[1])


def test_skipped_steps_are_no_failure_and_hold_the_schedule_back() -> None:
    telemetry = Telemetry(CPU, LateClock(), tolerance=3)
    telemetry.begin_epoch()
    for step in range(12):
        telemetry.begin(step, 0.1)
        telemetry.loaded()
        telemetry.end(_tally(1, 0, 0, 4, 1), torch.tensor(float(step not in (0, 1, 5))))
    assert telemetry.skipped_before(12 - 8) == 2
    assert telemetry.skipped_before(6) == 3
    assert telemetry.not_finite is None
    result = telemetry.finish_epoch()
    assert (result.skipped, result.sums.images) == (3, 9 * 4)
    _run(telemetry, range(12, 14))
    for step in range(14, 17):
        telemetry.begin(step, 0.1)
        telemetry.loaded()
        telemetry.end(_tally(math.nan, 0, 0, 4, 1), torch.tensor(0.0))
    telemetry.finish_epoch()
    wrong = telemetry.not_finite
    assert wrong is not None
    assert (wrong.step, wrong.lr) == (16, 0.1)


def test_a_rank_that_others_wait_for_tells_where_it_stands_while_it_finishes_no_step() -> None:
    telemetry = Telemetry(CPU, HostClock(SLOTS), beats=True)
    telemetry.begin_epoch()
    telemetry.heartbeat()
    _run(telemetry, range(2))
    telemetry.harvest()
    assert telemetry.heartbeat() is None  # it gets on
    telemetry.begin(2, 0.1)
    telemetry.loaded()
    telemetry.clock.mark("forward")
    beat = telemetry.heartbeat()
    assert beat is not None
    assert (beat.step, beat.doing) == (2, "backward pass")
    assert Telemetry(CPU, HostClock(SLOTS)).heartbeat() is None


def test_a_scaled_step_counts_as_skipped_where_it_was_and_not_where_a_loss_is_unknown() -> None:
    telemetry = Telemetry(CPU, HostClock(SLOTS), tolerance=25)
    telemetry.begin_epoch()
    # The loss of this rank alone overflows, yet all ranks made the step; then all skip one.
    for step, (loss, applied) in enumerate([(math.inf, 1.0), (1.0, 0.0), (1.0, 1.0)]):
        telemetry.begin(step, 0.1)
        telemetry.loaded()
        telemetry.end(_tally(loss, 0, 0, 4, 1), torch.tensor(applied))
    assert telemetry.skipped_before(3) == 1


def test_times_are_true_however_far_the_device_is_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every step takes the device another time, and many more are launched than there are slots."""
    machine = Machine(monkeypatch)
    telemetry = Telemetry(CPU, machine.clock(SLOTS))
    telemetry.begin_epoch()
    began, steps = machine.now, 3 * SLOTS
    for step in range(steps):
        telemetry.begin(step, 0.1)
        machine.host(0.001)
        telemetry.loaded()
        machine.device(1.0 + step)
        telemetry.clock.mark("forward")
        telemetry.end(_tally(1, 0, 0, 4, 1), None)
    launched = machine.now
    result = telemetry.finish_epoch()
    events: list[AnyEvent] = list(_written(telemetry))
    seconds, forward = column(events, "step_seconds"), column(events, "forward_seconds")
    assert [round(each, 3) for each in forward.values()] == [1.0 + step for step in range(steps)]
    assert [round(seconds[step], 3) for step in range(1, steps)] == [
        1.0 + step for step in range(1, steps)
    ]
    # Both ledgers add up to the wall time: where slots were full, and at the end, the host waited.
    wall = machine.now - began
    host = ("wait_seconds", "launch_seconds", "other_seconds")
    assert result.seconds["step_seconds"] == pytest.approx(wall)
    assert sum(result.seconds[name] for name in host) == pytest.approx(wall)
    assert result.wait_seconds == pytest.approx(0.001 * steps)
    rows = [column(events, name) for name in host]
    assert sum(map(sum, (each.values() for each in rows))) == pytest.approx(launched - began)
    assert machine.now - launched > 0.4 * wall


def test_a_row_says_what_the_loader_did() -> None:
    telemetry = Telemetry(CPU, HostClock(SLOTS))
    telemetry.begin_epoch()
    for step, loading in enumerate([Loading(4, 0.02, 3), Loading(0, 0.0, 0), Loading(6, 0.06, 1)]):
        telemetry.begin(step, 0.1)
        telemetry.loaded(loading)
        telemetry.end(_tally(1, 0, 0, 4, 1), None)
    result = telemetry.finish_epoch()
    events: list[AnyEvent] = list(_written(telemetry))
    assert column(events, "queued") == {0: 3, 1: 0, 2: 1}
    decode = column(events, "decode_seconds")
    assert decode[0] == pytest.approx(0.005)
    assert decode[2] == pytest.approx(0.01)
    assert math.isnan(decode[1])  # where nothing was read nothing was measured
    assert result.read == 10
    assert result.read_seconds == pytest.approx(0.08)


def test_whoever_observes_sees_every_step_once_and_in_order() -> None:
    seen: list[int] = []
    told: list[Event] = []

    def observe(row: Row) -> Event | None:
        seen.append(row.step)
        return Phase(name="the second one") if row.step == 1 else None

    estimate = Estimate(0, (4,) * 8)
    telemetry = Telemetry(CPU, HostClock(SLOTS), observers=[observe], tell=told.append)
    telemetry.begin_epoch(estimate)
    _run(telemetry, range(2))
    telemetry.harvest()
    _run(telemetry, range(2, 8))
    telemetry.finish_epoch()
    assert seen == list(range(8))
    phase, estimated = told
    assert isinstance(phase, Phase)
    assert isinstance(estimated, EpochEstimated)
    assert estimated.seconds == estimate.seconds
