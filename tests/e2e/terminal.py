"""A real terminal for tests: a pty with a child process on one end and pyte on the other."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pyte

ENTER = "\r"
BACKSPACE = "\x7f"
TAB = "\t"


class Terminal:
    """Runs one command in a pty of ``columns`` x ``rows`` and keeps what it draws."""

    def __init__(
        self,
        argv: Sequence[str],
        *,
        columns: int = 160,
        rows: int = 48,
        cwd: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self.raw = bytearray()
        """Everything the child wrote."""
        self._lock = threading.Lock()
        self._reading = threading.Event()
        self._reading.set()
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.process = subprocess.Popen(
            list(argv),
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=cwd,
            env={
                **os.environ,
                "TERM": "xterm-256color",
                "COLORTERM": "truecolor",
                "LANG": "C.UTF-8",
                "LC_ALL": "C.UTF-8",
                **(environment or {}),
            },
            start_new_session=True,
            # No other thread of ours holds a lock that the child would need before its exec.
            preexec_fn=_take_terminal,  # noqa: PLW1509
        )
        os.close(slave)
        self._closed = False
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def send(self, keys: str) -> None:
        """Types ``keys``."""
        os.write(self.master, keys.encode())

    def text(self) -> str:
        """The screen as lines of text."""
        with self._lock:
            return "\n".join(line.rstrip() for line in self.screen.display)

    def wait_for(self, wanted: str | Callable[[str], bool], seconds: float = 60) -> str:
        """Waits until the screen shows ``wanted`` and returns the screen; fails with a picture."""
        arrived = wanted if callable(wanted) else lambda text: wanted in text
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            text = self.text()
            if arrived(text):
                return text
            if self.process.poll() is not None and not self._reader.is_alive():
                break
            time.sleep(0.05)
        text = self.text()
        if arrived(text):
            return text
        raise AssertionError(f"waited {seconds:g} s for {wanted!r}; the screen shows:\n{text}")

    def wait(self, seconds: float = 20) -> int:
        """Waits for the end of the command and returns its exit code."""
        code = self.process.wait(seconds)
        self._reader.join(5)
        return code

    def resize(self, columns: int, rows: int) -> None:
        with self._lock:
            self.screen.resize(rows, columns)
        size = struct.pack("HHHH", rows, columns, 0, 0)
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, size)
        os.killpg(self.process.pid, signal.SIGWINCH)

    def stall(self) -> None:
        """Stops reading, as a dead SSH line does."""
        self._reading.clear()

    def resume(self) -> None:
        self._reading.set()

    def vanish(self) -> None:
        """Closes the terminal under the command, as a closed window does."""
        if not self._closed:
            self._closed = True
            self._reading.set()
            self._reader.join(2)
            os.close(self.master)

    def close(self) -> None:
        """Ends whatever is left."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)
        self.vanish()

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _read(self) -> None:
        while not self._closed:
            if not self._reading.wait(0.1):
                continue
            try:
                if not select.select([self.master], [], [], 0.1)[0]:
                    continue
                data = os.read(self.master, 65536)
            except (OSError, ValueError):
                return
            if not data:
                return
            with self._lock:
                self.raw += data
                self._stream.feed(data)


def _take_terminal() -> None:
    """Makes the pty the controlling terminal of the child's new session."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
