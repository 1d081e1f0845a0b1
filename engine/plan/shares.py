"""How a global batch is shared out: what one device computes at once, and normalises together."""

from __future__ import annotations

from engine.plan.pairs import at_once
from engine.plan.runs import RunPlan


def pieces(run: RunPlan) -> int:
    """Shares, accumulated parts or micro-batches that a global batch is cut into, all together."""
    settings = run.settings
    count = settings.accumulate
    match run.strategy.parallelism:
        case "dp" | "ddp" | "fsdp":
            count *= settings.nproc or 1
        case "gpipe" | "pipeline":
            count *= settings.micro_batches or 1
        case "none":
            pass
    return count


def device_batch(run: RunPlan) -> int:
    """Images that one device computes at once, at most: of a share, an accumulated part or a
    micro-batch, whatever is smallest."""
    _, most = at_once(run.strategy.parallelism, run.settings)
    return most


def norm_batch(run: RunPlan) -> int | None:
    """Images whose statistics batch normalisation takes together, at most; ``None`` where a frozen
    network takes none."""
    if run.settings.freeze:
        return None
    together = run.settings.nproc or 1 if run.settings.sync_bn else 1
    return min(device_batch(run) * together, run.settings.batch_size)
