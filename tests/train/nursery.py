"""Brings up ranks that can be killed: a process that has imported torch, and forks one for each.

It computes nothing itself, so what it forks has all its threads to make. One line of JSON asks,
one answers: ``{"arguments": [...], "environment": {...}, "log": PATH}`` is answered by a pid, a pid
by the exit status of that process, negative where a signal ended it.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).parents[2]
_READY = "ready"
_MODULES = (
    "torch.distributed",
    "torchgpipe",
    "engine.train.loop",
    "engine.train.checkpoint_reading",
    "engine.train.strategies.ddp",
    "engine.train.strategies.gpipe",
)


class Nursery:
    """The process, from outside."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.train.nursery"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=_ROOT,
        )
        assert self._answer() == _READY

    def start(self, arguments: list[str], environment: dict[str, str], log: Path) -> int:
        """A rank with these arguments of ``fit``; its pid."""
        return int(self._ask({"arguments": arguments, "environment": environment, "log": str(log)}))

    def wait(self, pid: int) -> int:
        return int(self._ask(pid))

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10.0)

    def _ask(self, question: Any) -> Any:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())


def _bear(asked: dict[str, Any]) -> int:
    """The pid of a rank; in the rank itself this never returns."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        os.environ.update(asked["environment"])
        log = os.open(asked["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        for stream in (1, 2):
            os.dup2(log, stream)
        from engine.train import fit

        code = fit.main(asked["arguments"])
    finally:
        os._exit(code)


def main() -> None:
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    for name in _MODULES:
        importlib.import_module(name)
    print(json.dumps(_READY), flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        if isinstance(asked, int):
            _, status = os.waitpid(asked, 0)
            print(os.waitstatus_to_exitcode(status), flush=True)
        else:
            print(_bear(asked), flush=True)


if __name__ == "__main__":
    main()
