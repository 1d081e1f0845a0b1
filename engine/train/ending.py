"""How a rank ends, whatever happens: its last event, and the sentence in it."""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from engine.errors import EXIT_DONE, EXIT_TRAINING_FAILED, ResnetTuiError
from engine.journal.events import AttemptEnded, EndState
from engine.plan.runs import RunPlan
from engine.plan.text import clean
from engine.train.recorder import Recorder
from engine.train.stop import REASON, Stopped, StopRequest

if TYPE_CHECKING:
    from engine.train.loop import Ending
    from engine.train.out_of_memory import Start

_ROOT = Path(__file__).parents[2]
_UNEXPLAINED = "training failed with"
"""How a sentence begins that names an error and knows no more of it."""


class Attempt:
    """The rank's last words: whatever ends the block, the journal says how, in a sentence."""

    def __init__(self, recorder: Recorder, stop: StopRequest) -> None:
        self.recorder = recorder
        self.stop = stop
        self.plan: RunPlan | None = None
        self.start: Start | None = None
        self.step = 0
        self.exit_code = EXIT_DONE
        self._state: EndState = "done"
        self._reason = ""
        self._recorded = False

    def __enter__(self) -> Attempt:
        return self

    def end(self, ending: Ending) -> None:
        """The training ended by itself."""
        self._state, self._reason = ending.state, ending.reason

    def record(self, error: Exception) -> None:
        """Leaves an error where torchrun looks for the cause, if it is there, once."""
        if self._recorded or "TORCHELASTIC_ERROR_FILE" not in os.environ:
            return
        self._recorded = True
        try:
            from torch.distributed.elastic.multiprocessing.errors import get_error_handler

            get_error_handler().record_exception(error)
        except (ImportError, OSError) as problem:
            # torch is what is broken, or the disk; the closing event tells the error as well.
            print(f"torchrun is not told of the error: {problem}", file=sys.stderr)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        self.stop.close()
        told = ""
        if isinstance(error, Stopped):
            self._state, self._reason = "stopped", str(error)
        elif error is not None and self.stop.interrupted and self.step == 0:
            # An import that was interrupted halfway breaks in ways of its own: numpy's was seen to
            # recurse without end. What is only that is no failure; the log has it all the same.
            self._state, self._reason = "stopped", REASON
            traceback.print_exception(error)
        elif error is not None:
            self._state = "failed"
            if isinstance(error, Exception):
                self.record(error)
            self._reason, self.exit_code = explain(error, self.plan, self.start)
            if isinstance(error, ResnetTuiError):
                print(self._reason, file=sys.stderr)
            else:
                traceback.print_exception(error)
                # Where the sentence says all that helps, the rest is for the log alone.
                told = own_traceback(error) if self._reason.startswith(_UNEXPLAINED) else ""
        self.recorder.close(
            AttemptEnded(state=self._state, step=self.step, reason=self._reason, traceback=told)
        )
        return True


def explain(
    error: BaseException, plan: RunPlan | None, start: Start | None = None
) -> tuple[str, int]:
    """An error as a sentence with a remedy where there is one, and the exit code."""
    if isinstance(error, ResnetTuiError):
        return str(error), error.exit_code
    first = clean((str(error).strip() or type(error).__name__).partition("\n")[0])
    if isinstance(error, ImportError) and not (error.name or "").startswith("engine."):
        sentence = f"torch or torchvision cannot be imported ({first}); install them again"
        return sentence, EXIT_TRAINING_FAILED
    from engine.train.out_of_memory import explained, is_refusal

    if is_refusal(error):
        return explained(error, plan, start), EXIT_TRAINING_FAILED
    if "DataLoader worker" in first:
        return (
            f"a process that decodes images died ({first}); where memory or /dev/shm is short, "
            "--workers 0 decodes without such processes",
            EXIT_TRAINING_FAILED,
        )
    return f"{_UNEXPLAINED} {type(error).__name__}: {first}", EXIT_TRAINING_FAILED


def own_traceback(error: BaseException) -> str:
    """The traceback without the frames of libraries, but the innermost one."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [
        frame
        for number, frame in enumerate(frames)
        if Path(frame.filename).is_relative_to(_ROOT / "engine") or number == len(frames) - 1
    ]
    lines = [*traceback.format_list(own), *traceback.format_exception_only(error)]
    return "".join(lines).rstrip()
