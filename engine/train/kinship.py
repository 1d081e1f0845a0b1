"""No process outlives the one that answers for it: rank after supervisor, worker after rank."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time
from typing import NoReturn

import psutil

PARENT = "RESNET_TUI_PARENT"
"""The environment variable in which a supervisor gives its ranks its process id."""

_PR_SET_PDEATHSIG = 1
_POLL = 1.0


def bind_to_supervisor() -> None:
    """Ties this process to its parent: the supervisor named in the environment, or torchrun.

    The supervisor ties torchrun to itself. A rank that nobody of them launched is free.
    """
    told = os.environ.get(PARENT, "")
    named = int(told) if told.isdecimal() else None
    by_torchrun = "TORCHELASTIC_RUN_ID" in os.environ
    if not by_torchrun and named is None:
        return
    die_with(os.getppid())
    # The parent may have died before the line above: then we were given away, as orphans are.
    if by_torchrun and named is not None and _parent_of(os.getppid()) != named:
        _end("torchrun, or the supervisor that launched it, is gone")
    if not by_torchrun and os.getppid() != named:
        _end(f"the supervisor ({PARENT}={named}) is not my parent: it is gone")


def _parent_of(pid: int) -> int | None:
    try:
        return int(psutil.Process(pid).ppid())
    except psutil.Error:
        return None


def _end(reason: str) -> NoReturn:
    print(reason, file=sys.stderr, flush=True)
    os._exit(1)


def die_with(parent: int) -> None:
    """Ends this process with SIGKILL as soon as ``parent``, its parent, is gone.

    On Linux the kernel does it, when the *thread* that made this process ends. Elsewhere a thread
    looks once a second whether the process was given to another parent.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    else:
        threading.Thread(target=_watch, args=(parent,), name="parent", daemon=True).start()
    if os.getppid() != parent:
        os._exit(1)


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_POLL)
    os._exit(1)
