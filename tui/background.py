"""Work that may take a while, off the screen's own thread."""

from __future__ import annotations

import threading
from collections.abc import Callable

from textual.message import Message
from textual.message_pump import MessagePump


def in_background(to: MessagePump, work: Callable[[], Message | None], name: str) -> None:
    """Runs ``work`` in a thread and posts the message it returns to ``to``.

    The thread is a daemon: a file system that hangs, or a probe that imports torch, must not hold
    the way out. ``work`` turns the errors it expects into messages.
    """

    def run() -> None:
        message = work()
        if message is None or not to.is_running:
            return
        try:
            to.post_message(message)
        except RuntimeError:
            # The application's loop closed between the two lines: nobody is left to be told.
            return

    threading.Thread(target=run, name=name, daemon=True).start()
