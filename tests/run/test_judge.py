from __future__ import annotations

import pytest

from engine.journal.events import AttemptEnded, EndState
from engine.run.judge import Verdict, judge, last_lines


def closing(state: EndState, t: float = 1.0, reason: str = "", traceback: str = "") -> AttemptEnded:
    return AttemptEnded(t=t, state=state, step=7, reason=reason, traceback=traceback)


def verdict(
    closings: dict[int, AttemptEnded],
    exit_code: int = 0,
    *,
    ranks: int = 1,
    killed: str = "",
    asked: bool = False,
    out_of_memory: bool = False,
    log: str = "",
) -> Verdict:
    return judge(
        closings,
        ranks,
        exit_code,
        killed=killed,
        asked=asked,
        out_of_memory=out_of_memory,
        log=log,
    )


@pytest.mark.parametrize("exit_code", [0, 1, -6])
def test_closing_events_count_and_exit_codes_do_not(exit_code: int) -> None:
    assert verdict({0: closing("done")}, exit_code).state == "done"
    assert verdict({0: closing("stopped", reason="as asked")}, exit_code).reason == "as asked"
    assert verdict({0: closing("failed")}, exit_code).state == "failed"


def test_the_first_rank_to_fail_is_the_cause() -> None:
    ends = {
        0: closing("failed", t=9.0, reason="connection closed by peer"),
        1: closing("failed", t=8.5, reason="out of memory", traceback="a\nb\nthe cause"),
    }
    assert verdict(ends, 1, ranks=2) == Verdict("failed", "out of memory", "a\nb\nthe cause")


def test_one_rank_that_closed_does_not_speak_for_the_other() -> None:
    told = verdict({0: closing("done")}, -11, ranks=2, log="line 1\nline 2\n")
    assert told.state == "failed"
    assert "signal 11 (SIGSEGV)" in told.reason
    assert told.detail == "line 1\nline 2"


def test_a_kill_is_named() -> None:
    assert "signal 9 (SIGKILL)" in verdict({}, -9).reason
    assert "memory ran out;" in verdict({}, -9, out_of_memory=True).reason


def test_a_silent_end_tells_the_last_line_of_the_log() -> None:
    told = verdict({}, 1, log="Traceback ...\nImportError: no torch\n\n")
    assert told.reason == "the training process ended with exit code 1: ImportError: no torch"


def test_ended_on_request() -> None:
    assert verdict({}, -15, asked=True).state == "stopped"
    assert verdict({}, -9, asked=True, killed="at once") == Verdict("stopped", "at once")
    assert verdict({}, -15).state == "failed"


def test_what_ranks_print_is_made_harmless() -> None:
    told = verdict({}, 1, log="\x1b]0;title\x07\x1b[2J evil\n")
    assert "\x1b" not in told.reason + told.detail
    assert last_lines("a\n\n b\nc\n", 2) == " b\nc"
