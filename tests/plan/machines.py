"""Machines as the probe describes them."""

from __future__ import annotations

from engine.plan.machine import Device, Machine

CPU = Machine(torch="2.15.0", torchvision="0.29.2", cores=2)
APPLE = Machine(torch="2.15.0", devices=(Device(kind="mps", index=0, name="Apple GPU"),))


def with_gpus(count: int, *, bf16: bool = True) -> Machine:
    """A machine with ``count`` GPUs; those without bf16 are older than Ampere."""
    gpus = tuple(Device(kind="cuda", index=n, name="a GPU", bf16=bf16) for n in range(count))
    return Machine(torch="2.15.0", devices=gpus)
