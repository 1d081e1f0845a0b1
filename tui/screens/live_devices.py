"""What is known of the machine that a run trains on, and which of its GPUs are the run's. Pure."""

from __future__ import annotations

import string

from engine.journal.events import GpuFacts
from engine.journal.views import ExperimentView, RunView
from tui.widgets.devices import Devices

_HEX = frozenset(string.hexdigits.lower())


def devices(view: ExperimentView, run: RunView | None) -> Devices:
    """Of the node, with the ranks of ``run`` on its GPUs."""
    return Devices(
        gpus=view.gpus,
        ranks=ranks_on(view.gpus.found, run),
        host=view.host,
        cores=view.cores,
        machine=view.machine,
    )


def ranks_on(found: tuple[GpuFacts, ...], run: RunView | None) -> tuple[tuple[int, ...], ...]:
    """The ranks that train on each GPU. They are told apart by UUID: torch may count GPUs in
    another order than their driver."""
    on: dict[str, list[int]] = {}
    for rank, ready in run.readies if run is not None else ():
        for uuid in ready.uuids:
            on.setdefault(plain_uuid(uuid), []).append(rank)
    return tuple(tuple(on.get(plain_uuid(each.uuid), ())) for each in found)


def plain_uuid(uuid: str) -> str:
    """Its hexadecimal digits: the driver writes ``GPU-`` or ``MIG-`` before them, torch may not."""
    lowered = uuid.lower()
    for prefix in ("gpu-", "mig-"):
        lowered = lowered.removeprefix(prefix)
    return "".join(each for each in lowered if each in _HEX)
