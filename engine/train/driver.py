"""What the NVIDIA driver shows, beside what torch sees: facts for a sentence."""

from __future__ import annotations

import os
from pathlib import Path

import torch

from engine.plan.accelerators import Facts, Gpu, Version
from engine.plan.text import clean

_VERSION = Path("/proc/driver/nvidia/version")


def facts(seen: tuple[str, ...]) -> Facts:
    """``seen`` are the UUIDs of the GPUs that torch sees."""
    driver, cuda, gpus, problem = _driver()
    return Facts(
        torch=str(torch.__version__),
        torch_cuda=torch.version.cuda,
        torch_rocm=torch.version.hip,
        seen=seen,
        refusal="" if seen else _refusal(),
        driver=driver,
        driver_cuda=cuda,
        gpus=gpus,
        problem=problem,
        visible=os.environ.get("CUDA_VISIBLE_DEVICES"),
    )


def _driver() -> tuple[str, Version | None, tuple[Gpu, ...] | None, str]:
    """Version, newest CUDA and GPUs of the driver; or why it cannot be asked."""
    installed = "of unknown version" if _VERSION.exists() else ""
    try:
        import pynvml
    except ImportError:
        return installed, None, None, "nvidia-ml-py is not installed"
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        return installed, None, None, str(error)
    try:
        number = pynvml.nvmlSystemGetCudaDriverVersion_v2()
        handles = map(pynvml.nvmlDeviceGetHandleByIndex, range(pynvml.nvmlDeviceGetCount()))
        gpus = tuple(
            Gpu(
                name=_text(pynvml.nvmlDeviceGetName(each)),
                uuid=_text(pynvml.nvmlDeviceGetUUID(each)),
            )
            for each in handles
        )
        version = _text(pynvml.nvmlSystemGetDriverVersion())
        return version, (number // 1000, number % 1000 // 10), gpus, ""
    except pynvml.NVMLError as error:
        return installed or "of unknown version", None, None, str(error)
    finally:
        pynvml.nvmlShutdown()


def _text(value: str | bytes) -> str:
    """Older bindings answer with bytes."""
    return clean(value.decode("utf-8", "replace") if isinstance(value, bytes) else value)


def _refusal() -> str:
    """What torch says when it is made to look for a GPU."""
    if torch.version.cuda is None:
        return ""
    try:
        torch.cuda.init()  # type: ignore[no-untyped-call]
    except (RuntimeError, AssertionError) as error:
        return clean(str(error).partition("\n")[0].partition(". ")[0].rstrip("."))
    return ""
