"""How much memory a batch will need that was not tried yet. Pure, and an estimate."""

from __future__ import annotations

from collections.abc import Mapping

from engine.errors import StrategyError
from engine.plan.config import Settings
from engine.plan.footprint import footprint
from engine.plan.runs import RunPlan, resized


def foreseen(size: int, peaks: Mapping[int, int], tensors: Mapping[int, int]) -> int | None:
    """Bytes that a batch of ``size`` will need of a computer; ``None`` where nothing says so.

    ``peaks``: what the batches that were tried held at most. ``tensors``: what is known by
    arithmetic of ``size`` and of these. The line through the two largest that were tried, or from
    the largest on as the tensors grow, whichever says less: a try that needs more after all is
    ended while it runs, one that is never made teaches nothing. Before the first, the tensors.
    """
    known = sorted(peaks)[-2:]
    if not known:
        return tensors.get(size)
    last = known[-1]
    found = []
    if len(known) == 2:
        slope = max(0.0, (peaks[last] - peaks[known[0]]) / (last - known[0]))
        found.append(peaks[last] + slope * (size - last))
    if size in tensors and last in tensors:
        found.append(float(peaks[last] + tensors[size] - tensors[last]))
    return int(min(found)) if found else None


def tensors_of(run: RunPlan, size: int, asked: Settings, classes: int) -> int | None:
    """Bytes of the tensors of all processes of ``run`` with a batch of ``size``, at least; ``None``
    where that is unknown. ``asked``: the settings of the experiment."""
    try:
        held = footprint(resized(run, size, asked), classes)
    except StrategyError:
        return None
    if held.total is None:
        return None
    # Gradients come while activations go: all of them are not there at once.
    return (held.total - (held.gradients or 0)) * run.ranks
