"""A word on the terminal while something takes seconds."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def while_waiting(what: str) -> Iterator[None]:
    """Shows ``what`` where somebody looks on, and takes it back."""
    if not sys.stderr.isatty():
        yield
        return
    print(f"{what} ...", end="\r", file=sys.stderr, flush=True)
    try:
        yield
    finally:
        print("\x1b[K", end="", file=sys.stderr, flush=True)
