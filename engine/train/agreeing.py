"""What all ranks must know before they compute a batch, and what they do once they know it."""

from __future__ import annotations

from engine.train import saving
from engine.train.batch import Batch
from engine.train.job import Job
from engine.train.limits import is_late
from engine.train.world import Agreed


def agree(job: Job, batch: Batch, planned: int) -> Agreed:
    """What all ranks must know before they compute ``batch``, a part of ``planned`` images."""
    agreed = job.world.agree(
        planned,
        batch.missing,
        shared=job.feed.shards == 1,
        stop=job.stop.requested,
        late=is_late(job),
        save=saving.wanted(job),
    )
    job.stopping = agreed.stop
    job.saving = job.saving or agreed.save
    if agreed.late and not job.late:
        job.late = True
        job.stream.cut()
    return agreed
