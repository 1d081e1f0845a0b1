"""Files that appear whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

from engine.errors import ExperimentError
from engine.plan.text import clean

_NUMBERS = count()
"""Two threads may write into one directory."""


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A place beside ``path`` to write to, which takes its name once that went well.

    Raises ``ExperimentError``, and leaves nothing behind, where it did not.
    """
    temporary = path.with_name(f".resnet-tui.{os.getpid()}.{next(_NUMBERS)}")
    try:
        yield temporary
        temporary.replace(path)
    except OSError as error:
        raise refused(path, error) from error
    finally:
        # Where it could not even be looked for, it is not there.
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def refused(path: Path, error: OSError) -> ExperimentError:
    """What is told of a file that cannot be written."""
    return ExperimentError(f"cannot write {clean(str(path))}: {error.strerror or error}")
