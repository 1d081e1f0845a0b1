"""How close a run came to what its devices could do at most. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from engine.plan.roofline import Roof, roof
from engine.report.situation import Situation


@dataclass(frozen=True, slots=True)
class Reached:
    """Of one device, on average: images per second, and an estimate of the most there could be."""

    images_per_second: float
    most: Roof

    @property
    def share(self) -> float:
        """0..1."""
        return self.images_per_second / self.most.images_per_second


def reached(here: Situation) -> Reached | None:
    """``None`` where a device is not known (every CPU), or nothing was measured yet; and of a
    frozen network, whose steps are not those that the estimate is of."""
    ready, together = here.run.ready, here.images_per_second
    settings = here.plan.settings
    if ready is None or together is None or settings.freeze:
        return None
    most = roof(
        ready.device_name, ready.precision, ready.model, settings.image_size, settings.compile
    )
    return Reached(together / _devices(here), most) if most is not None else None


def _devices(here: Situation) -> int:
    """GPUs by UUID, which ranks may share; of older journals, what ranks call their devices."""
    uuids = {uuid for _, ready in here.run.readies for uuid in ready.uuids}
    devices = here.run.devices
    return len(uuids) or len(devices if here.run.world_size > 1 else set(devices)) or 1
