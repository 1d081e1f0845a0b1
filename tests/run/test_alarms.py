from __future__ import annotations

from engine.run.alarms import LOW_DISK, SILENCE, Alarms


def test_a_full_disk_is_told_once_until_there_is_room_again() -> None:
    alarms = Alarms()
    assert alarms.disk(None) == []
    assert alarms.disk(LOW_DISK) == []
    (notice,) = alarms.disk(300 << 20)
    assert "300 MiB left" in notice.text
    assert alarms.disk(1) == []
    assert alarms.disk(LOW_DISK) == []
    assert len(alarms.disk(1)) == 1


def test_a_silent_rank_is_named_once_until_it_speaks_again() -> None:
    alarms = Alarms()
    assert alarms.silence("01-single", {0: 1.0, 1: SILENCE - 0.1}) == []
    (notice,) = alarms.silence("01-single", {0: 1.0, 1: SILENCE})
    assert notice.text.startswith("rank 1 of 01-single has said nothing for 120 s")
    assert alarms.silence("01-single", {0: 1.0, 1: SILENCE + 50}) == []
    assert alarms.silence("01-single", {0: 1.0, 1: 0.0}) == []
    assert len(alarms.silence("01-single", {0: SILENCE, 1: SILENCE})) == 2
    assert len(alarms.silence("02-amp", {0: SILENCE})) == 1
