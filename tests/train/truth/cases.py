"""The trainings with known answers, and what is said of each."""

from __future__ import annotations

from tests.train.truth.injection import Case, Injection

WORKERS = (0, 1, 4)
IMAGE = 0.02
"""Seconds that an image sleeps."""
PASS = 0.025
"""Seconds that each of the two passes of a step sleeps."""
LATE = 0.5
"""Seconds by which the first batch is late."""

_READING = {
    (1, 0): "data",  # 80 ms of images between steps of 50 ms
    (1, 1): "data",  # 80 ms beside them
    (1, 4): "fine",  # 20 ms
    (2, 0): "data",
    (2, 1): "data",
    (2, 4): "fine",  # 40 ms: each rank has two workers
}


def reading(ranks: int, workers: int, *, first: float = 0.0, steps: int = 20) -> Case:
    """Every image sleeps, and so does the network."""
    return Case(
        name="images and network sleep" + (", the first batch is late" if first else ""),
        injection=Injection(image=IMAGE, forward=PASS, backward=PASS, first=first),
        workers=workers,
        ranks=ranks,
        steps=steps,
        verdict=_READING[ranks, workers],
    )


def computing(ranks: int, workers: int, *, first: float = 0.0, steps: int = 20) -> Case:
    """The network alone sleeps, and perhaps the first batch."""
    return Case(
        name="network sleeps" + (", the first batch is late" if first else ""),
        injection=Injection(forward=PASS, backward=PASS, first=first),
        workers=workers,
        ranks=ranks,
        steps=steps,
        verdict="fine",
    )


def straggling(workers: int, *, steps: int = 20) -> Case:
    """The second of two ranks takes twice as long for its passes."""
    return Case(
        name="second rank takes twice as long",
        injection=Injection(forward=PASS, backward=PASS, slow=1),
        workers=workers,
        ranks=2,
        steps=steps,
        verdict="straggler",
    )


def in_short(ranks: int) -> list[Case]:
    """Each is all of them in one, as far as they do not hide each other."""
    cases = [reading(ranks, workers, first=LATE) for workers in WORKERS]
    return cases + ([straggling(workers) for workers in WORKERS] if ranks > 1 else [])


def every(ranks: int, steps: int) -> list[Case]:
    """One by one."""
    cases = [
        make(ranks, workers, first=first, steps=steps)
        for make, first in ((reading, 0.0), (computing, 0.0), (computing, LATE))
        for workers in WORKERS
    ]
    return cases + ([straggling(workers, steps=steps) for workers in WORKERS] if ranks > 1 else [])
