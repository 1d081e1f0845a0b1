"""What the sampler of a node tells of its GPUs, as their driver (NVML) shows them."""

from __future__ import annotations

import msgspec

from engine.journal.event import Count, Event


class GpuFacts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A GPU, or a slice of one (MIG), and what of it does not change."""

    index: Count
    """NVML's number, by PCI bus; torch may count in another order, so ``uuid`` says which is which.
    """
    uuid: str
    """``GPU-…`` or ``MIG-…``."""
    name: str
    memory_total: Count | None = None
    power_limit: float | None = None
    """Watts."""
    slice: Count | None = None
    """The number of the slice on GPU ``index``, where it is cut into slices."""
    visible: bool | None = None
    """Whether ``CUDA_VISIBLE_DEVICES`` leaves it to training; ``None`` where that cannot be told.
    """


class GpuReading(msgspec.Struct, frozen=True, array_like=True, omit_defaults=True):
    """A GPU at one moment; ``None`` is unknown or not supported. In the file it is a list."""

    utilization: float | None = None
    """Share of the last second in which some kernel ran, 0..1."""
    memory_used: Count | None = None
    """Bytes, of everybody."""
    memory_ours: Count | None = None
    """Bytes of this experiment's processes; ``None`` where a container hides whose they are."""
    temperature: float | None = None
    """Degrees Celsius."""
    power: float | None = None
    """Watts."""
    sm_clock: float | None = None
    """MHz."""
    throttled: tuple[str, ...] = ()
    """Why it is slower than it could be: ``power cap``, ``heat``, ``power brake``, ``slowdown``."""
    pcie_in: float | None = None
    """Bytes per second to the GPU."""
    pcie_out: float | None = None
    nvlink_in: float | None = None
    """Bytes per second over all links."""
    nvlink_out: float | None = None
    problem: str = ""
    """What the driver says where it does not answer for this GPU."""


class GpusFound(Event, frozen=True, kw_only=True, tag="gpus-found"):
    """The GPUs that samples from here on are of; ``problem`` is a sentence where there are none."""

    gpus: tuple[GpuFacts, ...] = ()
    problem: str = ""
    driver: str = ""
    """Its version."""


class GpuSample(Event, frozen=True, kw_only=True, tag="gpu-sample"):
    """All GPUs at one moment, in the order of the last ``GpusFound``."""

    readings: tuple[GpuReading, ...]
