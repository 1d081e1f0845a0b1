from __future__ import annotations

import pytest

from engine.journal.events import EpochStarted, Heartbeat, Memory, Phase
from engine.run.movement import Movement, named

LIMIT = 60.0


class Run:
    """A run of some ranks in a time of its own."""

    def __init__(self, ranks: int, phase: str = "") -> None:
        self.now = 1000.0
        self.movement = Movement(ranks, lambda: self.now)
        for rank in range(ranks):
            first = Phase(name=phase) if phase else EpochStarted(epoch=0, step=0)
            self.movement.spoke(rank)
            self.movement.told(rank, first)

    def wait(self, seconds: float, beats: dict[int, tuple[int, int, str]] | None = None) -> None:
        """Passes the time, in which ranks that are alive repeat where they are."""
        for _ in range(int(seconds)):
            self.now += 1
            self.movement.tick()
            for rank, (step, place, doing) in (beats or {}).items():
                self.movement.spoke(rank)
                self.movement.told(rank, Memory(rss=1, peak_rss=1))
                self.movement.told(rank, Heartbeat(step=step, place=place, doing=doing))

    def told(self, limit: float = LIMIT) -> str:
        stall = self.movement.stall(limit)
        return stall.text if stall else ""


def test_the_rank_that_is_behind_is_named() -> None:
    run = Run(3)
    beats = {
        0: (17, 2, "backward pass"),
        1: (17, 0, "waiting for data"),
        2: (17, 2, "backward pass"),
    }
    run.wait(60, beats)
    assert run.told() == ""
    run.wait(1, beats)
    assert run.told() == "rank 1 stood still in step 17 (waiting for data) for 60 s"


def test_an_earlier_step_is_behind_a_later_one() -> None:
    run = Run(2)
    run.wait(62, {0: (16, 5, "updating"), 1: (17, 0, "waiting for data")})
    assert run.told().startswith("rank 0 stood still in step 16 (updating)")


def test_the_silent_one_of_several_is_named() -> None:
    run = Run(2)
    run.wait(10, {0: (4, 1, "forward pass"), 1: (4, 1, "forward pass")})
    run.wait(60, {0: (4, 2, "backward pass")})
    assert run.told() == ""
    run.wait(1, {0: (4, 2, "backward pass")})
    assert run.told() == (
        "rank 1 stood still and said nothing for 60 s; rank 0 waited in step 4 (backward pass)"
    )


def test_where_all_stand_at_the_same_place_nobody_is_to_blame() -> None:
    run = Run(2)
    place = (4, 2, "exchanging gradients")
    run.wait(62, {0: place, 1: place})
    assert run.told() == "all ranks stood still in step 4 (exchanging gradients) for 61 s"


@pytest.mark.parametrize("what", ["steps", "an event", "a beat"])
def test_who_moves_does_not_hang(what: str) -> None:
    run = Run(2)
    beats = {0: (4, 2, "backward pass"), 1: (4, 1, "forward pass")}
    run.wait(55, beats)
    if what == "steps":
        run.movement.stepped(1)
    elif what == "an event":
        run.movement.told(1, EpochStarted(epoch=1, step=5))
    else:
        beats[1] = (4, 2, "backward pass")
    run.wait(59, beats)
    assert run.told() == ""
    run.wait(2, beats)
    assert run.told()


def test_a_phase_may_take_three_times_as_long() -> None:
    run = Run(2, "reading images")
    run.movement.told(0, Phase(name="meeting the other ranks"))
    run.wait(179)
    assert run.told() == ""
    run.wait(1)
    assert run.told() == "rank 1 stood still while reading images for 180 s"


def test_a_phase_may_take_a_minute_in_any_case() -> None:
    run = Run(2, "importing torch")
    run.wait(59)
    assert run.told(1.0) == ""
    run.wait(1)
    assert run.told(1.0) == "all ranks stood still while importing torch for 60 s"


def test_a_rank_that_is_done_is_waited_for_no_longer() -> None:
    run = Run(2)
    run.wait(50, {1: (9, 1, "saving a checkpoint")})
    run.movement.over(0)
    run.wait(61, {1: (9, 1, "saving a checkpoint")})
    assert run.told() == "rank 1 stood still in step 9 (saving a checkpoint) for 61 s"
    run.movement.over(1)
    run.wait(600)
    assert run.told() == ""


def test_a_suspended_machine_is_no_hang() -> None:
    run = Run(2)
    run.wait(30)
    run.now += 3600
    run.wait(20)
    assert run.told() == ""


def test_names_of_ranks() -> None:
    assert named([1]) == "rank 1"
    assert named({3, 1}) == "ranks 1 and 3"
    assert named([0, 1, 2]) == "ranks 0, 1 and 2"
