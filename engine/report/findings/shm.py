"""Whether /dev/shm is too small for what workers hand over through it."""

from __future__ import annotations

from engine.report.findings.loading import loading
from engine.report.findings.words import several, size
from engine.report.situation import Situation
from engine.report.verdict import Verdict

AHEAD = 2
"""Batches that each worker reads ahead, where a rank does not tell."""
CHANNELS = 3


def shm(here: Situation) -> Verdict | None:
    """Batches that workers read ahead lie in /dev/shm. Where they do not fit, a worker dies."""
    sample = next((each for each in reversed(here.host) if each.shm_total), None)
    now = loading(here)
    if sample is None or sample.shm_total is None or not now.workers:
        return None
    batch = int(now.images * here.plan.settings.image_size**2 * CHANNELS)
    queues = [ready.queue for _, ready in here.run.readies if ready.queue]
    batches = sum(queues) or AHEAD * now.per_rank * now.loaders
    needed, free = batch * batches, sample.shm_free
    if needed <= sample.shm_total and (free is None or free >= batch):
        return None
    if needed <= sample.shm_total:
        why = f"{size(free)} of its {size(sample.shm_total)} are free, and a batch takes"
        finding = f"/dev/shm is full: {why} {size(batch)}"
    else:
        finding = (
            f"/dev/shm has {size(sample.shm_total)}, and {several(now.workers, 'worker')} keep up "
            f"to {batches} batches of {size(batch)} in it: {size(needed)}"
        )
    return Verdict(
        kind="shm",
        title="/dev/shm too small",
        finding=finding,
        change=_change(sample.shm_total, needed),
        evidence=(
            ("/dev/shm", size(sample.shm_total)),
            ("free", size(free)),
            ("read ahead", f"{batches} batches of {size(batch)}"),
        ),
    )


def _change(total: int, needed: int) -> str:
    """A size with as much again to spare, which containers are given in mebibytes."""
    enough = 2**26
    while enough < 2 * max(needed, total if needed <= total else 0):
        enough *= 2
    return f"enlarge /dev/shm, of a container with --shm-size {enough // 2**20}m"
