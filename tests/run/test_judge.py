from __future__ import annotations

import signal
from typing import Any

import pytest

from engine.journal.events import AttemptEnded, EndState
from engine.run.blame import judge_ranks
from engine.run.evidence import Evidence, Verdict, last_lines
from engine.run.judge import judge
from engine.run.torchrun import RankError


def closing(state: EndState, t: float = 1.0, reason: str = "", traceback: str = "") -> AttemptEnded:
    return AttemptEnded(t=t, state=state, step=7, reason=reason, traceback=traceback)


def alone(
    closings: dict[int, AttemptEnded], exit_code: int = 0, *, log: str = "", **more: Any
) -> Verdict:
    """The verdict on one process."""
    case = Evidence(closings=closings, exit_code=exit_code, log=lambda rank: log, **more)
    return judge(case)


def together(closings: dict[int, AttemptEnded], exit_code: int = 1, **more: Any) -> Verdict:
    """The verdict on two ranks of torchrun."""
    logs = {0: "of rank 0\n", 1: "of rank 1\n"}
    case = Evidence(
        closings=closings, exit_code=exit_code, **{"ranks": 2, "log": logs.__getitem__, **more}
    )
    return judge_ranks(case)


LOST = closing("failed", 5.0, "training failed with RuntimeError: Connection closed by peer [::1]")
LATE = closing("failed", 5.0, "training failed with RuntimeError: Timed out waiting 330000ms for")


def report(*failures: tuple[int, int]) -> str:
    """What torchrun prints about ranks and their exit codes."""
    blocks = (
        f"[{number}]:\n  time      : 2026-11-21_11:00:00\n  host      : here\n"
        f"  rank      : {rank} (local_rank: {rank})\n  exitcode  : {code} (pid: 12{rank})\n"
        for number, (rank, code) in enumerate(failures)
    )
    return "====\nengine.train FAILED\n----\nFailures:\n" + "".join(blocks) + "====\n"


# One process


@pytest.mark.parametrize("exit_code", [0, 1, -6])
def test_closing_events_count_and_exit_codes_do_not(exit_code: int) -> None:
    assert alone({0: closing("done")}, exit_code).state == "done"
    assert alone({0: closing("stopped", reason="as asked")}, exit_code).reason == "as asked"
    assert alone({0: closing("failed")}, exit_code).state == "failed"


def test_a_kill_is_named() -> None:
    assert "signal 9 (SIGKILL)" in alone({}, -9).reason
    told = alone({}, -9, out_of_memory="memory ran out; do this").reason
    assert told == (
        "the training process was killed by signal 9 (SIGKILL): memory ran out; do this"
    )
    told = together({}, gone=[1], launcher_log=report((1, -9)), out_of_memory="no more").reason
    assert told == "rank 1 was killed by signal 9 (SIGKILL): no more"


def test_a_silent_end_tells_the_last_line_of_the_log() -> None:
    told = alone({}, 1, log="Traceback ...\nImportError: no torch\n\n")
    assert told.reason == "the training process ended with exit code 1: ImportError: no torch"


def test_ended_on_request() -> None:
    assert alone({}, -15, asked=True).state == "stopped"
    at_once = Verdict("stopped", "at once")
    assert alone({}, -9, asked=True, ended=at_once) == at_once
    assert alone({}, -15).state == "failed"


def test_what_ranks_print_is_made_harmless() -> None:
    told = alone({}, 1, log="\x1b]0;title\x07\x1b[2J evil\n")
    assert "\x1b" not in told.reason + told.detail
    assert last_lines("a\n\n b\nc\n", 2) == " b\nc"


# Several ranks


def test_the_first_rank_to_fail_is_the_cause() -> None:
    ends = {
        0: closing("failed", t=9.0, reason="loss is not finite"),
        1: closing("failed", t=8.5, reason="out of memory", traceback="a\nb\nthe cause"),
    }
    told = together(ends, launcher_log=report((0, 1), (1, 3)))
    assert told == Verdict("failed", "rank 1 failed: out of memory", "a\nb\nthe cause", 3)
    # It failed before it cleaned up for long.
    errors = {0: RankError("of rank 0", "", 8.0)}
    assert together(ends, errors=errors).reason == "rank 0 failed: loss is not finite"


@pytest.mark.parametrize("lost", [LOST, LATE])
def test_who_only_lost_a_peer_is_not_the_cause(lost: AttemptEnded) -> None:
    own = closing("failed", t=9.0, reason="training failed with ValueError: x")
    assert together({0: lost, 1: own}).reason == "rank 1 failed: ValueError: x"
    told = together({0: lost}, launcher_log=report((0, 1), (1, -9)))
    assert told.reason.startswith("rank 1 was killed by signal 9 (SIGKILL): by hand, or")
    assert (told.detail, told.exit_code) == ("of rank 1", -9)
    hung = Verdict("failed", "rank 1 stood still")
    assert together({0: lost}, ended=hung, killed=True) == hung
    stopped = closing("stopped", reason="stopped before the first step, as asked")
    assert together({0: lost, 1: stopped}).reason == stopped.reason


def test_one_rank_waited_in_vain_for_the_other() -> None:
    told = together({0: LATE}, killed=True, launcher_log=report((0, 1), (1, -9)))
    assert told.state == "failed"
    assert told.reason.startswith("rank 1 did not answer: rank 0 waited for it and failed (Runtime")


def test_all_lost_each_other() -> None:
    again = closing("failed", 6.0, "Connection reset by peer")
    assert together({0: again, 1: LOST}).reason.startswith("rank 1 failed: RuntimeError: Conn")


def test_who_died_of_torchruns_own_signal_died_later() -> None:
    told = together({}, gone=[0, 1], launcher_log=report((0, -signal.SIGTERM), (1, -11)))
    assert told.reason == "rank 1 was killed by signal 11 (SIGSEGV)"


def test_what_was_given_wrongly_is_no_ranks_fault() -> None:
    errors = {1: RankError("no such folder", "", 3.0, 2)}
    ends = {0: closing("stopped"), 1: closing("failed", reason="no such folder")}
    told = together(ends, errors=errors, launcher_log=report((1, 2)))
    assert (told.state, told.reason, told.exit_code) == ("failed", "no such folder", 2)
    same = closing("failed", reason="out of memory")
    assert together({0: same, 1: same}).reason == "out of memory"


def test_a_rank_that_died_and_was_not_reported() -> None:
    told = together({0: LOST}, -9, gone=[1], killed=True)
    assert told.reason == "rank 1 ended without a word"


def test_an_error_without_a_closing_event() -> None:
    errors = {1: RankError("ValueError: x\nmore", "Traceback ...\nValueError: x", 3.0)}
    told = together({0: LOST}, errors=errors, killed=True)
    assert told == Verdict(
        "failed", "rank 1 failed: ValueError: x", "Traceback ...\nValueError: x", None
    )


def test_the_death_of_torchrun_is_its_own() -> None:
    told = together({}, -9, gone=[0], launcher_log="last words of torchrun")
    assert told.reason.startswith("torchrun was killed by signal 9")
    done = {0: closing("done"), 1: closing("done")}
    assert together(done, -9).state == "done"


def test_torchrun_cannot_start() -> None:
    told = together({}, 2, launcher_log="usage: ...\ntorchrun: error: no such option\n")
    assert told.reason == "torchrun ended with exit code 2: torchrun: error: no such option"
    told = together({}, 1, root_cause=RankError("RendezvousError: no free port", "a\nb"))
    assert told == Verdict("failed", "RendezvousError: no free port", "a\nb")


def test_torchrun_is_told_to_end() -> None:
    log = "torch...api.SignalException: Process 4242 got signal: 15\n"
    ends = {0: closing("stopped", reason="stopped after 7 steps, as asked")}
    assert together({**ends, 1: ends[0]}, launcher_log=log).reason == ends[0].reason
    told = together(ends, launcher_log=log + report((1, -9)))
    assert told.state == "stopped"
    assert told.reason == "torchrun was told to end (SIGTERM); rank 1 ended without saving"


def test_one_rank_that_stopped_stops_the_run() -> None:
    ends = {0: closing("done"), 1: closing("stopped", reason="as asked")}
    assert together(ends, 0) == Verdict("stopped", "as asked")
    asked = Verdict("stopped", "killed: too slow")
    assert together({0: closing("done")}, -9, ended=asked, killed=True) == asked
