"""What training code can use on a machine, as plain facts that every process can read."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """One accelerator as torch sees it. ``memory`` in bytes."""

    kind: str
    index: int
    name: str
    memory: int | None = None
    uuid: str = ""
    bf16: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """The answer of ``python -m engine.train probe``.

    ``problem`` is a sentence where nothing can be trained at all (torch is missing or broken);
    ``notices`` name accelerators that are there and cannot be used, with what to install.
    """

    torch: str = ""
    torchvision: str = ""
    cores: int = 1
    cpu_name: str = ""
    cpu_bf16: bool = False
    """Whether the CPU computes in bf16 by itself (AMX or AVX512-BF16), not by emulation."""
    devices: tuple[Device, ...] = ()
    problem: str = ""
    notices: tuple[str, ...] = ()

    @property
    def best(self) -> str:
        """The kind of device that ``--device auto`` takes."""
        kinds = {device.kind for device in self.devices}
        return next((kind for kind in ("cuda", "mps") if kind in kinds), "cpu")


ANY = Machine()
"""What every machine has: a CPU."""
