"""What this machine can train on, as one line of JSON: the answer of ``probe``."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec

from engine.plan.machine import Device, Machine


def main() -> int:
    """Prints a ``Machine``; always returns 0, because a machine without torch is an answer."""
    print(msgspec.json.encode(probe()).decode())
    sys.stdout.flush()
    return 0


def probe() -> Machine:
    """Asks torch; where it cannot be imported, says why and what to do."""
    try:
        import torch
        import torchvision

        from engine.train import devices
    except (ImportError, OSError, RuntimeError, AttributeError) as error:
        first = str(error).partition("\n")[0]
        return Machine(
            problem=f"torch or torchvision cannot be imported ({first}); install them again with "
            "'pip install --force-reinstall torch torchvision'"
        )
    found = (*_cuda(torch.cuda.device_count() if torch.cuda.is_available() else 0), *_mps())
    return Machine(
        torch=str(torch.__version__),
        torchvision=str(torchvision.__version__),
        cores=devices.cores(),
        cpu_name=devices.cpu_name(),
        cpu_bf16=devices.cpu_has_bf16(),
        devices=found,
        notices=_unusable(found),
    )


def _cuda(count: int) -> tuple[Device, ...]:
    import torch

    bf16 = count > 0 and torch.cuda.is_bf16_supported(including_emulation=False)
    gpus = []
    for index in range(count):
        properties = torch.cuda.get_device_properties(index)
        gpus.append(
            Device(
                kind="cuda",
                index=index,
                name=properties.name,
                memory=properties.total_memory,
                uuid=str(getattr(properties, "uuid", "")),
                bf16=bf16,
            )
        )
    return tuple(gpus)


def _mps() -> tuple[Device, ...]:
    import torch

    if not torch.backends.mps.is_available():
        return ()
    bf16 = torch.backends.mps.is_macos_or_newer(14, 0)
    return (Device(kind="mps", index=0, name="Apple GPU", bf16=bf16),)


def _unusable(found: tuple[Device, ...]) -> tuple[str, ...]:
    """Accelerators whose driver is here and that torch does not see."""
    import torch

    from engine.plan.accelerators import unusable
    from engine.train.driver import facts

    gpus = tuple(device.uuid for device in found if device.kind == "cuda")
    notices = list(unusable(facts(gpus)))
    if Path("/dev/kfd").exists() and not gpus and torch.version.hip is None:
        notices.append(
            "an AMD GPU driver is here, but this torch is not built for it; install torch for ROCm"
        )
    return tuple(notices)
