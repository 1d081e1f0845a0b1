from __future__ import annotations

import math
from typing import get_args

import pytest

from engine.journal.step_columns import DEVICE_PARTS, HOST_PARTS
from engine.train.clocks import Clock, HostClock, Part, Timing
from engine.train.place import Place
from tests.train.simulated import Machine


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(monkeypatch)


def _host(timing: Timing) -> dict[str, float]:
    return _known(dict(zip(HOST_PARTS, timing.host, strict=True)))


def _device(timing: Timing) -> dict[str, float]:
    return _known(dict(zip(DEVICE_PARTS, timing.device, strict=True)))


def _known(parts: dict[str, float]) -> dict[str, float]:
    return {part: round(spent, 9) for part, spent in parts.items() if not math.isnan(spent)}


def _step(machine: Machine, clock: Clock, slot: int, *, agree: float | None = None) -> None:
    """0.5 s for data, launches of 0.01 s and 1.11 s of work for a device."""
    clock.begin(slot)
    machine.host(0.5)
    clock.loaded()
    if agree is not None:
        machine.host(agree)
        clock.agreed()
    for part, seconds in (("copy", 0.01), ("forward", 0.3), ("backward", 0.6), ("update", 0.2)):
        machine.host(0.01)
        machine.device(seconds)
        clock.mark(part)  # type: ignore[arg-type]
    machine.host(0.02)
    clock.end()


def test_a_step_lasts_from_the_end_of_the_one_before(machine: Machine) -> None:
    clock = HostClock(2)
    clock.anchor()
    began = machine.now
    for slot in range(2):
        machine.host(0.1)  # between two steps, or before the first one
        _step(machine, clock, slot)
    first, second = clock.read(0), clock.read(1)
    assert first.began == Machine.EPOCH + began
    assert second.began == pytest.approx(first.began + first.seconds, abs=1e-6)
    assert first.seconds + second.seconds == pytest.approx(machine.now - began)
    assert _host(second) == {"wait": 0.5, "other": 0.12}
    assert _device(second) == {"copy": 0.01, "forward": 0.01, "backward": 0.01, "update": 0.01}
    whole = sum(_host(second).values()) + sum(_device(second).values())
    assert whole == pytest.approx(second.seconds)
    clock.anchor()
    machine.host(0.2)
    _step(machine, clock, 0)
    assert clock.read(0).seconds == pytest.approx(0.2 + 0.56)


def test_parts_that_come_several_times_in_a_step_add_up(machine: Machine) -> None:
    clock = HostClock(1)
    clock.anchor()
    clock.begin(0)
    clock.loaded()
    for _ in range(2):  # two parts of an accumulation
        machine.host(0.02)
        clock.mark("forward")
        machine.host(0.01)
        clock.mark("backward")
    clock.end()
    assert _device(clock.read(0)) == {"forward": 0.04, "backward": 0.02}
    clock.begin(0)
    clock.loaded()
    clock.end()
    assert _device(clock.read(0)) == {}


def test_waiting_for_ranks_is_no_waiting_for_data(machine: Machine) -> None:
    for clock in (HostClock(1), machine.clock(1)):
        clock.anchor()
        _step(machine, clock, 0, agree=0.25)
        clock.wait(0)
        host = _host(clock.read(0))
        assert (host["wait"], host["agree"]) == (0.5, 0.25)


def test_a_device_that_waits_for_its_host(machine: Machine) -> None:
    clock = machine.clock(3)
    clock.anchor()
    began = machine.now
    clock.begin(0)
    machine.host(2.0)
    clock.loaded()
    machine.host(0.3)
    clock.agreed()
    machine.host(0.4)
    machine.device(0.1)
    clock.mark("forward")
    machine.host(0.5)
    clock.mark("update")
    clock.end()
    assert clock.finished(0)
    timing = clock.read(0)
    assert timing.began == Machine.EPOCH + began
    assert timing.seconds == pytest.approx(3.2)
    assert _host(timing) == {"wait": 2.0, "agree": 0.3, "launch": 0.9, "other": 0.0}
    # The forward pass is launched 0.4 s after all had agreed, and takes 0.1 s of its own.
    assert _device(timing) == {"starved": 2.0, "peers": 0.3, "forward": 0.5, "update": 0.4}
    assert timing.lag == pytest.approx(0.0, abs=1e-9)


def test_a_device_that_runs_behind(machine: Machine) -> None:
    """The host asks for images while the device still computes: it did not wait for them."""
    clock = machine.clock(4)
    clock.anchor()
    began = machine.now
    for slot in range(3):
        _step(machine, clock, slot)
    ended = machine.now
    assert not clock.finished(2)
    clock.wait(2)
    assert clock.finished(2)
    timings = [clock.read(slot) for slot in range(3)]
    # Launched 0.51 s after the beginning, and from then on without a pause.
    assert sum(each.seconds for each in timings) == pytest.approx(0.51 + 3 * 1.11)
    assert _device(timings[0])["starved"] == 0.5
    assert _device(timings[2]) == {
        "starved": 0.0,
        "copy": 0.01,
        "forward": 0.3,
        "backward": 0.6,
        "update": 0.2,
    }
    for timing in timings:
        assert _host(timing) == {"wait": 0.5, "launch": 0.04, "other": 0.02}
    assert timings[2].began + timings[2].seconds == pytest.approx(Machine.EPOCH + machine.free)
    assert timings[2].lag == pytest.approx(machine.free - ended)
    assert timings[0].began == Machine.EPOCH + began


def test_every_mark_moves_the_place_on() -> None:
    clock, place = HostClock(1), Place()
    clock.place = place
    place.begin(7)
    assert (place.heartbeat().step, place.heartbeat().doing) == (7, "waiting for data")
    clock.begin(0)
    clock.loaded()
    seen = [place.heartbeat().place]
    clock.agreed()
    seen.append(place.heartbeat().place)
    for part in get_args(Part):
        clock.mark(part)
        seen.append(place.heartbeat().place)
    assert seen == sorted(set(seen))
    place.begin(8)
    assert (place.heartbeat().step, place.heartbeat().place) == (8, 0)
