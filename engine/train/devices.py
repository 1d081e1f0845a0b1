"""Which device trains, and how torch is told to compute on it."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from engine.errors import WrongInput
from engine.plan.config import Settings
from engine.plan.runs import RunPlan


def choose(settings: Settings, local_rank: int = 0) -> torch.device:
    """The device of this rank; raises ``WrongInput`` where what was asked for is not there.

    GPU numbers count as the user sees them: through ``CUDA_VISIBLE_DEVICES``.
    """
    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    kind = settings.device
    if kind == "auto":
        kind = "cuda" if gpus else "mps" if torch.backends.mps.is_available() else "cpu"
        if settings.gpus is not None and kind != "cuda":
            raise WrongInput(
                f"--gpus {_numbers(settings.gpus)}: torch {torch.__version__} sees no GPU here; "
                "'resnet-tui doctor' says why; leave --gpus out to train on what there is"
            )
    if kind == "cuda":
        if not gpus:
            raise WrongInput(
                f"--device cuda: torch {torch.__version__} sees no GPU here; "
                "'resnet-tui doctor' says why; --device cpu trains without one"
            )
        chosen = settings.gpus or tuple(range(gpus))
        missing = [index for index in chosen if index >= gpus]
        if missing:
            raise WrongInput(
                f"--gpus {_numbers(settings.gpus or ())}: there is no GPU {missing[0]}; "
                f"this machine has {gpus}, counted from 0"
            )
        if local_rank >= len(chosen):
            raise WrongInput(
                f"process {local_rank} has no GPU of its own: --gpus names {len(chosen)}"
            )
        return torch.device("cuda", chosen[local_rank])
    if settings.gpus is not None:
        raise WrongInput(
            f"--gpus {_numbers(settings.gpus)} needs --device cuda, and --device is {kind}"
        )
    if kind == "mps" and not torch.backends.mps.is_available():
        raise WrongInput("--device mps: this machine has no Apple GPU that torch can use")
    return torch.device(kind)


def of_rank(plan: RunPlan, local_rank: int) -> tuple[torch.device, ...]:
    """The devices of one process: its own, or all of a strategy that is one process.

    Stages without a device of their own share the first one. Raises ``WrongInput``.
    """
    settings = plan.settings
    if plan.strategy.parallelism not in ("dp", "gpipe"):
        return (choose(settings, local_rank),)
    wanted = settings.nproc or 1
    if plan.strategy.parallelism == "gpipe":
        wanted = settings.stages or wanted
    first = choose(settings)
    if first.type != "cuda":
        return (first,) * wanted
    there = len(settings.gpus) if settings.gpus else torch.cuda.device_count()
    return tuple(choose(settings, number if wanted <= there else 0) for number in range(wanted))


def configure(device: torch.device, threads: int, *, tf32: bool = False) -> None:
    """Sets what must be the same in every strategy: threads, and how float32 is computed.

    TF32 is off unless asked for: a run that says fp32 computes in fp32. Nothing is chosen by
    torch's defaults, which allow TF32 in convolutions.
    """
    torch.set_num_threads(threads)
    how = "tf32" if tf32 else "ieee"
    # The old switches first: torch's compiler reads them, which raises where the two disagree.
    torch.set_float32_matmul_precision("high" if tf32 else "highest")
    torch.backends.cudnn.allow_tf32 = tf32
    torch.backends.cuda.matmul.fp32_precision = how
    torch.backends.cudnn.conv.fp32_precision = how  # type: ignore[attr-defined]
    if device.type == "cuda":
        torch.cuda.set_device(device)
        # Every batch of a training but the last of an epoch has the same shape.
        torch.backends.cudnn.benchmark = True


def cores() -> int:
    """Cores this process may use, not those the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def name_of(device: torch.device) -> str:
    """The device's name as people know it."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return cpu_name() if device.type == "cpu" else f"Apple GPU ({platform.machine()})"


def uuids(used: Sequence[torch.device]) -> tuple[str, ...]:
    """Of these GPUs, as NVML spells them: torch and NVML may count GPUs in different orders."""
    if used[0].type != "cuda":
        return ()
    return tuple(_spelled(torch.cuda.get_device_properties(each)) for each in dict.fromkeys(used))


def _spelled(properties: Any) -> str:
    """A slice of a GPU has an identity of its own, and says in its name what it is."""
    return f"{'MIG' if ' MIG ' in properties.name else 'GPU'}-{properties.uuid}"


def cpu_name() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").split("\n"):
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def cpu_has_bf16() -> bool:
    """Whether this CPU computes in bf16 by itself: AMX or AVX512-BF16, or ARM's BF16."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    for line in text.split("\n"):
        if line.startswith(("flags", "Features")):
            return bool({"amx_bf16", "avx512_bf16", "bf16"} & set(line.split()))
    return False


def _numbers(gpus: tuple[int, ...]) -> str:
    return ",".join(map(str, gpus))
