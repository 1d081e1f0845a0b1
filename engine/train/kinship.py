"""No process outlives the one that answers for it: rank after supervisor, worker after rank."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time

PARENT = "RESNET_TUI_PARENT"
"""The environment variable in which a supervisor gives its ranks its process id."""

_PR_SET_PDEATHSIG = 1
_POLL = 1.0


def bind_to_supervisor() -> None:
    """Ties this process to the supervisor named in the environment, if one is.

    Under a launcher (torchrun) the parent is the launcher, which the supervisor ties to itself.
    """
    try:
        named = int(os.environ[PARENT])
    except (KeyError, ValueError):
        return
    die_with(os.getppid())
    # The supervisor may have died before the line above: then its children were given away. A
    # launcher in between is alive as long as it is our parent, and only its own parent counts.
    if os.getppid() != named and "TORCHELASTIC_RUN_ID" not in os.environ:
        print(f"the supervisor ({PARENT}={named}) is not my parent: it is gone", file=sys.stderr)
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
