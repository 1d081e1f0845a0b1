"""What is known of the machine that a run trains on, and which of its GPUs are the run's. Pure."""

from __future__ import annotations

from engine.journal.events import GpuFacts
from engine.journal.views import RunView
from engine.plan.uuids import bare
from tui.feed import Snapshot
from tui.widgets.devices import Devices
from tui.widgets.summary import clock


def devices(snapshot: Snapshot, run: RunView | None) -> Devices:
    """Of the node, with the ranks of ``run`` on its GPUs."""
    view = snapshot.view
    newest = max((each[-1].t for each in (view.host, view.gpus.samples) if each), default=None)
    return Devices(
        gpus=view.gpus,
        ranks=ranks_on(view.gpus.found, run),
        host=view.host,
        cores=view.cores,
        machine=view.machine,
        as_of=f"as of {clock(newest)}" if newest is not None and not snapshot.alive else "",
    )


def ranks_on(found: tuple[GpuFacts, ...], run: RunView | None) -> tuple[tuple[int, ...], ...]:
    """The ranks that train on each GPU. They are told apart by UUID: torch may count GPUs in
    another order than their driver."""
    on: dict[str, list[int]] = {}
    for rank, ready in run.readies if run is not None else ():
        for uuid in ready.uuids:
            on.setdefault(bare(uuid), []).append(rank)
    return tuple(tuple(on.get(bare(each.uuid), ()) if each.uuid else ()) for each in found)
