"""What loading images takes, against what training takes of them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from engine.plan.config import declarations
from engine.report.situation import Situation

STARVING = 0.1
"""From this share of the time on, waiting for data is what to change first: below it, no number
of workers makes a training a tenth faster."""
HEADROOM = 1.25
"""Workers that could just keep up fall behind whenever an image is large, or the disk slow."""
IDLE = 0.5
"""Where so few of the cores are busy, readers wait for a disk or a network and not for a core."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loading:
    """Figures of the rank that waits longest; ``workers`` and ``cores`` are of the node."""

    workers: int
    cores: int | None
    loaders: int
    """Ranks that load images."""
    images: float
    """That this rank loads for a step."""
    decode: float | None
    """Seconds per image, in the process that reads it."""
    compute: float | None
    """Seconds that a step takes without waiting for images."""

    @property
    def per_rank(self) -> int:
        """Workers are split over the ranks that load, none of which has fewer than another."""
        return -(-self.workers // self.loaders)

    @property
    def readers(self) -> int:
        """Processes that read images beside training: more than ``workers`` where these cannot be
        split evenly."""
        return self.per_rank * self.loaders

    @property
    def reading(self) -> float | None:
        """Seconds in which one process reads the images of a step."""
        return self.decode * self.images if self.decode and self.decode > 0 else None

    @property
    def makes(self) -> float | None:
        """Images per second that all workers make; ``None`` without workers."""
        if not self.decode or self.decode <= 0 or not self.workers:
            return None
        return self.readers / self.decode

    @property
    def takes(self) -> float | None:
        """Images per second that training could take."""
        if not self.compute or self.compute <= 0:
            return None
        return self.images * self.loaders / self.compute

    @property
    def keeps_up(self) -> bool:
        """Whether the workers make more than training takes, on average."""
        return self.makes is not None and self.takes is not None and self.makes >= self.takes


def loading(here: Situation) -> Loading:
    ready = here.run.ready
    worst = max(here.times, key=lambda each: each.device.of("starved"), default=None)
    compute = None
    if worst is not None:
        idle = worst.device.of("starved") + worst.device.of("peers")
        compute = max(0.0, worst.device.seconds - idle) / worst.steps
    return Loading(
        workers=(ready.workers if ready is not None else here.plan.settings.workers) or 0,
        cores=here.cores,
        loaders=here.loaders,
        images=(here.images_per_step or here.plan.settings.batch_size) / here.loaders,
        decode=worst.decode if worst is not None else None,
        compute=compute,
    )


def wanted(here: Situation, now: Loading) -> int | None:
    """Workers of the node that would keep up, whatever its cores; ``None`` where unknown."""
    if now.reading is None or now.compute is None:
        return None
    if here.on_cpu and now.cores and not has_idle_cores(here):
        # What workers compute is taken from the cores that train: a step takes longer by it.
        each = now.reading / (now.compute + now.reading * now.loaders / now.cores)
    else:
        each = HEADROOM * now.reading / now.compute if now.compute > 0 else math.inf
    most = int(declarations()["workers"].maximum or 1)
    return min(most, math.ceil(min(each, most)) * now.loaders)


def has_idle_cores(here: Situation) -> bool:
    return here.cpu is not None and here.cpu < IDLE
