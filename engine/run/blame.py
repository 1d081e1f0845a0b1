"""How an attempt of several ranks ended, and which of them was the cause.

When one rank fails, the others lose their peer: they fail as well, are killed by torchrun, or hang.
Only the first is told. Its own error counts most; an error that says no more than that a peer was
lost is the cause only where there is no other.
"""

from __future__ import annotations

import re
import signal
from dataclasses import dataclass

from engine.errors import EXIT_WRONG_INPUT
from engine.plan.text import clean
from engine.run import torchrun
from engine.run.evidence import Evidence, Verdict, last_lines, silent_end
from engine.run.movement import named

_LOST_PEER = re.compile(
    r"connection (was |has been )?(likely )?(closed|reset|refused|aborted)|broken pipe"
    r"|timed out (after|waiting|initializing)|(wait|socket|operation) timeout|pair closure"
    r"|remote process|Dist(Backend|Network|Store)Error|failed to recv|communicator was aborted",
    re.IGNORECASE,
)
"""How gloo, NCCL and torch's store say that another rank is gone or does not answer."""


@dataclass(frozen=True, slots=True)
class _Failure:
    """One rank that says that it failed."""

    rank: int
    reason: str
    traceback: str
    t: float
    exit_code: int | None

    @property
    def own(self) -> bool:
        """Whether it is more than the loss of another rank."""
        return _LOST_PEER.search(self.reason) is None


def judge_ranks(case: Evidence) -> Verdict:
    """The verdict on an attempt that torchrun launched."""
    codes = torchrun.exit_codes(case.launcher_log)
    failures = sorted(_failures(case), key=lambda failure: failure.t)
    for failure in failures:
        if failure.own:
            return _failed(case, failure, failures, codes)
    if case.ended is not None and case.ended.state == "failed":
        return case.ended
    return (
        _launcher_killed(case)
        or _rank_gone(case, codes)
        or _agreed_end(case)
        or case.ended
        or _told_to_end(case)
        or _lost(case, failures, codes)
        or _launcher_failed(case)
    )


def _failures(case: Evidence) -> list[_Failure]:
    """What each rank says, at the time at which it happened."""
    found = []
    for rank in range(case.ranks):
        closing, error = case.closings.get(rank), case.errors.get(rank)
        if closing is not None and closing.state == "failed":
            t = error.t if error is not None else closing.t
            code = error.exit_code if error is not None else None
            found.append(_Failure(rank, clean(closing.reason), closing.traceback, t, code))
        elif closing is None and error is not None:
            # It did not come to its closing event: it hung while it cleaned up, or was killed.
            first = error.message.strip().partition("\n")[0]
            found.append(_Failure(rank, clean(first), error.traceback, error.t, error.exit_code))
    return found


def _failed(
    case: Evidence, first: _Failure, all_of_them: list[_Failure], codes: dict[int, int]
) -> Verdict:
    reasons = [failure.reason for failure in all_of_them]
    if first.exit_code == EXIT_WRONG_INPUT or reasons == [first.reason] * case.ranks:
        reason = first.reason  # No rank's fault more than another's.
    else:
        reason = f"rank {first.rank} failed: {first.reason.removeprefix('training failed with ')}"
    detail = last_lines(first.traceback) or _detail(case, first.rank)
    code = codes.get(first.rank) if first.exit_code is None else first.exit_code
    return Verdict("failed", reason, detail, code)


def _launcher_killed(case: Evidence) -> Verdict | None:
    """torchrun's own death takes the ranks along."""
    if case.exit_code >= 0 or case.killed or len(case.closings) >= case.ranks:
        return None
    reason = silent_end("torchrun", case.exit_code, case.out_of_memory, "")
    return Verdict("failed", reason, last_lines(case.launcher_log))


def _rank_gone(case: Evidence, codes: dict[int, int]) -> Verdict | None:
    """A rank that died without a word, before anybody was killed by us or told to end."""
    if torchrun.was_told_to_end(case.launcher_log):
        return None
    gone = [rank for rank in case.gone if rank not in case.closings]
    if not case.killed:
        gone += [rank for rank in codes if rank not in gone and rank not in case.closings]
    # torchrun ends the others with SIGTERM: who died of it died later.
    gone.sort(key=lambda rank: codes.get(rank) == -signal.SIGTERM)
    for rank in gone:
        detail = _detail(case, rank)
        code = codes.get(rank)
        if code is None:
            reason = f"{_who(case, rank)} ended without a word"
        else:
            reason = silent_end(_who(case, rank), code, case.out_of_memory, detail)
        return Verdict("failed", reason, detail, code)
    return None


def _agreed_end(case: Evidence) -> Verdict | None:
    """Every rank has said how it ended, and none of them failed but by losing another."""
    if len(case.closings) < case.ranks:
        return None
    for state in ("stopped", "failed", "done"):
        for closing in case.closings.values():
            if closing.state == state:
                reason = clean(closing.reason)
                return Verdict(closing.state, reason) if state != "failed" else None
    return None


def _told_to_end(case: Evidence) -> Verdict | None:
    """Somebody else than us ended torchrun, gently; it gives the ranks 30 s."""
    name = torchrun.was_told_to_end(case.launcher_log)
    missing = [rank for rank in range(case.ranks) if rank not in case.closings]
    if not name or not missing:
        return None
    for closing in case.closings.values():
        if closing.state == "stopped" and closing.step == 0:
            return Verdict("stopped", clean(closing.reason))  # There was nothing to save.
    reason = f"torchrun was told to end ({name}); {named(missing)} ended without saving"
    return Verdict("stopped", reason)


def _lost(case: Evidence, failures: list[_Failure], codes: dict[int, int]) -> Verdict | None:
    """All that is known is that ranks lost each other, and perhaps who is missing."""
    missing = [rank for rank in range(case.ranks) if rank not in case.closings]
    if failures and missing:
        first = failures[0]
        return Verdict(
            "failed",
            f"rank {missing[0]} did not answer: rank {first.rank} waited for it and failed "
            f"({first.reason.removeprefix('training failed with ')})",
            _detail(case, missing[0]),
        )
    return _failed(case, failures[0], failures, codes) if failures else None


def _launcher_failed(case: Evidence) -> Verdict:
    """torchrun ended before there were ranks, or for a reason of its own."""
    if case.root_cause is not None:
        first = clean(case.root_cause.message.strip().partition("\n")[0])
        return Verdict("failed", first, last_lines(case.root_cause.traceback))
    detail = last_lines(case.launcher_log)
    return Verdict("failed", silent_end("torchrun", case.exit_code, "", detail), detail)


def _who(case: Evidence, rank: int) -> str:
    return f"rank {rank}" if case.ranks > 1 else "the training process"


def _detail(case: Evidence, rank: int) -> str:
    return last_lines(case.log(rank))
