"""Whether training waits for images, and how many workers would end that."""

from __future__ import annotations

from engine.report.findings.loading import STARVING, Loading, has_idle_cores, loading, wanted
from engine.report.findings.words import count, ms, percent, several, size
from engine.report.situation import Situation, median
from engine.report.verdict import Verdict

BUSY = 0.9
"""Cores that are busy for more of the time than this have none left for further workers."""
READING = 20e6
"""Bytes per second from disks above which images do not come from memory."""


def data(here: Situation) -> Verdict | None:
    """Waiting for data, where it takes a tenth of the time."""
    if here.waits is None or here.waits.share < here.least("data", STARVING):
        return None
    now = loading(here)
    change, why = _change(here, now)
    said = f"{percent(here.waits.share)} of the time went to waiting for images"
    return Verdict(
        kind="data",
        title="waiting for data",
        finding=said + _rates(here, now) + why,
        change=change,
        evidence=evidence(here, now),
    )


def evidence(here: Situation, now: Loading) -> tuple[tuple[str, str], ...]:
    """What loading was measured to take; nothing that was not."""
    told = [("workers", str(now.workers))]
    if here.waits is not None:
        told.insert(0, ("waiting for data", percent(here.waits.share)))
    if now.decode is not None:
        told.append(("decode", f"{ms(now.decode)} per image"))
    if now.compute is not None:
        told.append(("step without waiting", ms(now.compute)))
    queued = median(each.queued for each in here.times)
    capacity = max((ready.queue or 0 for _, ready in here.run.readies), default=0)
    if queued is not None and capacity:
        told.append(("batches ready", f"{count(queued)} of {capacity}"))
    if here.cpu is not None and here.cores is not None:
        told.append(("cores", f"{here.cores}, {percent(here.cpu)} busy"))
    if (read := median(each.tree_read for each in here.host)) is not None:
        told.append(("read from disk", f"{size(read)}/s"))
    return tuple(told)


def _rates(here: Situation, now: Loading) -> str:
    """What workers make against what training takes."""
    assert here.waits is not None
    if here.waits.first is not None and here.waits.in_step < STARVING:
        return f": the first batch of an epoch is {ms(here.waits.first)} late"
    if now.reading is None:
        return ""
    if now.workers == 0:
        return (
            f": they are read between steps, {count(now.images)} of them at {ms(now.decode)} each"
        )
    made = f"{several(now.readers, 'worker')} make{'s' if now.readers == 1 else ''}"
    made += f" {count(now.makes)} images/s at {ms(now.decode)} each"
    if now.takes is None:
        return f": {made}"
    if now.keeps_up:
        return f", though {made} and the step takes {count(now.takes)} images/s"
    return f": {made}, the step takes {count(now.takes)} images/s"


def _change(here: Situation, now: Loading) -> tuple[str, str]:
    """What to change, and why nothing nearer helps."""
    reads = (median(each.tree_read for each in here.host) or 0.0) >= READING
    if now.keeps_up and reads:
        return _FASTER_DISK, "; they come from a disk"
    exhausted = _exhausted(here, now)
    if not exhausted:
        able = _able(here, now)
        if able > now.workers:
            return f"raise --workers from {now.workers} to {able}", ""
        if has_idle_cores(here) or reads:
            return _FASTER_DISK, "; the cores are idle while images come from a disk"
    side = here.plan.settings.image_size * 8 // 7
    change = f"shrink the image files to about {side} px, once: smaller ones are read faster"
    if not now.cores or (now.keeps_up and not exhausted):
        return change, ""
    cores = several(now.cores, "core")
    return change, f"; {cores} {'do both' if here.on_cpu else 'cannot read faster'}"


_FASTER_DISK = "copy the images to a faster disk"


def _exhausted(here: Situation, now: Loading) -> bool:
    """Whether there is no core left that a further worker could use."""
    if now.workers == 0:
        # Every rank reads with a core of its own, and the others are idle meanwhile.
        return here.on_cpu and now.cores is not None and now.cores <= now.loaders
    return here.cpu is not None and here.cpu >= BUSY


def _able(here: Situation, now: Loading) -> int:
    """Workers that would keep up, as far as there are cores; the same number for every rank."""
    needed = wanted(here, now)
    if needed is None:
        needed = 2 * max(1, now.workers)
    if now.keeps_up:
        # Enough on average, and yet late: batches come unevenly.
        needed = max(needed, now.workers + now.loaders)
    if now.cores is None:
        return needed
    return min(needed, max(now.loaders, now.cores // now.loaders * now.loaders))
