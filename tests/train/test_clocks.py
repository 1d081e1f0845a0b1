from __future__ import annotations

import math
import time
from typing import get_args

import pytest

from engine.journal.step_columns import DEVICE_PARTS
from engine.train.clocks import HostClock, Part
from engine.train.place import Place


def test_parts_that_come_several_times_in_a_step_add_up() -> None:
    clock = HostClock(2)
    clock.anchor()
    clock.begin(1)
    clock.loaded()
    for _ in range(2):  # two parts of an accumulation
        time.sleep(0.02)
        clock.mark("forward")
        time.sleep(0.01)
        clock.mark("backward")
    clock.end()
    timing = clock.read(1)
    parts = dict(zip(DEVICE_PARTS, timing.device, strict=True))
    assert parts["forward"] >= 0.04
    assert parts["backward"] >= 0.02
    assert parts["forward"] + parts["backward"] == pytest.approx(timing.seconds, abs=0.005)
    assert math.isnan(parts["update"])
    clock.begin(1)
    clock.loaded()
    clock.end()
    assert all(math.isnan(each) for each in clock.read(1).device)


def test_every_mark_moves_the_place_on() -> None:
    clock, place = HostClock(1), Place()
    clock.place = place
    place.begin(7)
    assert (place.heartbeat().step, place.heartbeat().doing) == (7, "waiting for data")
    clock.begin(0)
    clock.loaded()
    seen = [place.heartbeat().place]
    for part in get_args(Part):
        clock.mark(part)
        seen.append(place.heartbeat().place)
    assert seen == sorted(set(seen))
    place.begin(8)
    assert (place.heartbeat().step, place.heartbeat().place) == (8, 0)
