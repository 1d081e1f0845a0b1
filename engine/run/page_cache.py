"""Reads all images of an experiment once: ``python -P -m engine.run.page_cache DIRECTORY``.

The system keeps in memory what was read from a disk. Whoever trains first would pay for a disk that
is cold, and those that follow would not: so everything is read before, by a process of its own
that can be ended at any time. It tells on its standard output, in events of the journal.
"""

from __future__ import annotations

import os
import stat
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import psutil

from engine import cgroup
from engine.errors import DatasetError, ResnetTuiError
from engine.experiment import open_directory
from engine.journal.events import Event, Notice, Preparing, encode
from engine.plan import dataset
from engine.plan.config import Settings
from engine.plan.room import size

SHARE = 0.5
"""Of the memory that is free, at most: the rest is for the training."""
PATIENCE = 600.0
"""Seconds after which as much as was read has to do."""
FEW = 0.1
"""A training that sees a smaller share of the images does not need all of them in memory,"""
SMALL = 1 << 30
"""where they are more bytes than are read in some seconds."""

_THREADS = 4
"""At once: a network disk answers several as fast as one."""
_CHUNK = 1 << 20
_FILES = 1024
"""Files between two looks at the clock."""


@dataclass(frozen=True, slots=True)
class Amount:
    """How much was read, or is there to be read."""

    files: int = 0
    bytes: int = 0

    def __add__(self, other: Amount) -> Amount:
        return Amount(self.files + other.files, self.bytes + other.bytes)


def free_memory() -> int:
    """Bytes that are free or could be at once; in a container that may have less, of what it may
    have."""
    free = int(psutil.virtual_memory().available)
    limit, used = cgroup.memory_limit(), cgroup.memory_used()
    if limit is not None and used is not None:
        free = min(free, max(0, limit - used))
    return free


def measure(paths: Iterable[str]) -> Amount:
    """How many of the files there are, and how large; what cannot be looked at is left out."""
    found = Amount()
    for path in paths:
        try:
            status = os.stat(path)  # noqa: PTH116 (a million times; a Path costs more than the call)
        except OSError:
            continue
        if stat.S_ISREG(status.st_mode):
            found += Amount(1, status.st_size)
    return found


def read(paths: list[str], patience: float = PATIENCE) -> Amount:
    """Reads the files until all are read or ``patience`` seconds are over; what cannot be read is
    passed over."""
    done = Amount()
    end = time.monotonic() + patience
    with ThreadPoolExecutor(_THREADS) as pool:
        for start in range(0, len(paths), _FILES):
            if time.monotonic() > end:
                break
            part = paths[start : start + _FILES]
            shares = pool.map(_read_all, (part[n::_THREADS] for n in range(_THREADS)))
            done = sum(shares, done)
    return done


def _read_all(paths: list[str]) -> Amount:
    done = Amount()
    buffer = bytearray(_CHUNK)
    for path in paths:
        try:
            # Without waiting: what calls itself an image may be a pipe that nobody writes to.
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError:
            continue
        try:
            count = 0
            while new := os.readv(fd, [buffer]):
                count += new
            done += Amount(1, count)
        except OSError:
            continue
        finally:
            os.close(fd)
    return done


def sees(settings: Settings, images: int) -> float:
    """The share of the images that one run sees at most, 0..1."""
    if settings.max_steps is None or images == 0:
        return 1.0
    return min(1.0, settings.max_steps * settings.batch_size / images)


def told(asked: Amount, done: Amount, seconds: float) -> Notice:
    """What came of it."""
    text = f"read {done.files:,} images ({size(done.bytes)}) into memory in {seconds:.1f} s"
    if done.files < asked.files and seconds >= PATIENCE:
        text += (
            f", and no more of {asked.files:,}: that takes too long; the first runs read the rest "
            "from the disk, later ones may not have to"
        )
    elif done.files < asked.files:
        text += f"; {asked.files - done.files:,} could not be read"
    return Notice(level="info", text=text, code="page-cache")


def _say(event: Event) -> None:
    sys.stdout.buffer.write(encode(event))
    sys.stdout.buffer.flush()


def _warm(directory: Path) -> None:
    plan = open_directory(directory).plan
    settings = plan.settings
    found = dataset.load(Path(plan.dataset), settings.val_fraction, settings.seed)
    paths = [*found.train.paths, *found.val.paths]
    _say(Preparing(what=f"reading {len(paths):,} images into memory"))
    begun = time.monotonic()
    asked, room = measure(paths), int(SHARE * free_memory())
    share = sees(settings, len(found.train))
    if share < FEW and asked.bytes > SMALL:
        text = (
            f"images are not read into memory beforehand: a run that ends after step "
            f"{settings.max_steps:,} sees {share:.1%} of them, and the first one reads these from "
            "the disk"
        )
        return _say(Notice(level="info", text=text, code="page-cache"))
    if asked.bytes > room:
        text = (
            f"{asked.files:,} images of {size(asked.bytes)} do not fit in memory "
            f"({size(room)} may be used): every run reads them from the disk"
        )
        return _say(Notice(level="info", text=text, code="page-cache"))
    done = read(paths)
    return _say(told(asked, done, time.monotonic() - begun))


def main(arguments: list[str]) -> int:
    try:
        _warm(Path(arguments[0]))
    except DatasetError:
        return 0  # The runs will say it.
    except BrokenPipeError:
        return 0  # The supervisor is gone.
    except ResnetTuiError as error:
        print(error, file=sys.stderr)  # Into supervisor.log.
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
