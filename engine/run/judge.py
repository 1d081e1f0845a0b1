"""How an attempt ended: by what its ranks said last, not by exit codes."""

from __future__ import annotations

import signal

from engine.plan.text import clean
from engine.run.evidence import Evidence, Verdict, last_lines, silent_end


def judge(case: Evidence) -> Verdict:
    """The verdict on a rank that was launched by itself; see ``blame`` for those of torchrun."""
    for closing in case.closings.values():
        detail = last_lines(closing.traceback) if closing.state == "failed" else ""
        return Verdict(closing.state, clean(closing.reason), detail)
    if case.ended is not None:
        return case.ended
    if case.asked and case.exit_code == -signal.SIGTERM:
        return Verdict("stopped", "stopped before training began")
    detail = last_lines(case.log(0))
    reason = silent_end("the training process", case.exit_code, case.out_of_memory, detail)
    return Verdict("failed", reason, detail)
