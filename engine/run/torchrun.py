"""torchrun: how it is called, and what it leaves behind about ranks that failed."""

from __future__ import annotations

import os
import re
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

import msgspec

from engine import errors

LOG = "torchrun.log"
"""In the attempt's directory: what torchrun itself prints; each rank has a log of its own."""
FILES = "torchrun"
"""torchrun's own directory inside an attempt's; the error file of each rank lies in there."""
ERROR_FILE = "error.json"
"""In the attempt's directory: what torchrun calls the root cause."""

_ATTEMPT = "attempt_0"
"""A subdirectory of torchrun's; it never restarts our ranks."""
_FAILURE = re.compile(r"^ *rank +: (\d+) .*\n *exitcode +: (-?\d+) ", re.MULTILINE)
"""A rank in the report that torchrun prints at its end (``ChildFailedError`` of torch)."""
_SIGNALLED = re.compile(r"SignalException: Process \d+ got signal: (\d+)")


@dataclass(frozen=True, slots=True)
class RankError:
    """What a rank wrote in the moment in which it failed, before it cleaned up."""

    message: str
    traceback: str = ""
    t: float = 0.0
    exit_code: int | None = None
    """With which such an error ends a rank, where it is one of ours."""


class _Extra(msgspec.Struct):
    py_callstack: str = ""


class _Message(msgspec.Struct):
    message: str = ""
    extra: _Extra = msgspec.field(name="extraInfo", default_factory=_Extra)


class _ErrorFile(msgspec.Struct):
    message: _Message | str = ""


def command(ranks: int, *arguments: str) -> tuple[str, ...]:
    """The call of this installation's torchrun for ``ranks`` processes of this machine.

    The ranks meet at the loopback address: a machine's own name often does not resolve.
    """
    return (
        *_program(),
        *("--standalone", "--nnodes=1", f"--nproc-per-node={ranks}", "--local-addr=127.0.0.1"),
        *arguments,
    )


def _program() -> tuple[str, ...]:
    script = Path(sys.executable).with_name("torchrun")
    if os.access(script, os.X_OK):
        return (str(script),)
    return (sys.executable, "-P", "-m", "torch.distributed.run")


def environment(directory: Path) -> dict[str, str]:
    """What it needs around it, for an attempt in ``directory``."""
    return {
        # The working directory must not hide our packages, in torchrun and in its ranks.
        "PYTHONSAFEPATH": "1",
        "TORCHELASTIC_ERROR_FILE": str(directory / ERROR_FILE),
        # --log-dir: by default it leaves a directory in /tmp at every start.
        "PET_LOG_DIR": str(directory / FILES),
    }


def is_foreign(variable: str) -> bool:
    """Whether it belongs to another torchrun, a job around us, and would change what ours does."""
    return variable.startswith(("PET_", "TORCHELASTIC_")) or variable == "PYTHON_EXEC"


def rank_errors(directory: Path) -> dict[int, RankError]:
    """The error files of the ranks of an attempt; what cannot be read is not there."""
    found = {}
    for path in (directory / FILES).glob(f"*/{_ATTEMPT}/*/{ERROR_FILE}"):
        error = read_error(path)
        if error is not None and path.parent.name.isdecimal():
            found[int(path.parent.name)] = error
    return found


def read_error(path: Path) -> RankError | None:
    """One error file, whoever wrote it."""
    try:
        t = path.stat().st_mtime
        message = msgspec.json.decode(path.read_bytes(), type=_ErrorFile).message
    except (OSError, ValueError):
        return None
    if isinstance(message, str):
        return RankError(message, "", t) if message else None
    name, _, sentence = message.message.partition(": ")
    kind = getattr(errors, name, None) if name.isidentifier() else None
    if isinstance(kind, type) and issubclass(kind, errors.ResnetTuiError):
        return RankError(sentence, message.extra.py_callstack, t, kind.exit_code)
    return RankError(message.message, message.extra.py_callstack, t)


def exit_codes(log: str) -> dict[int, int]:
    """The exit codes of the ranks that torchrun saw fail; negative: the signal that killed it."""
    return {int(rank): int(code) for rank, code in _FAILURE.findall(log)}


def was_told_to_end(log: str) -> str:
    """The signal that made torchrun end its ranks, as ``SIGTERM``; empty where none did."""
    found = _SIGNALLED.search(log)
    return signal_name(int(found[1])) if found else ""


def signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return "unknown"
