"""What a rank holds in memory, asked without disturbing the device."""

from __future__ import annotations

import resource
import sys

import psutil
import torch

from engine.journal.events import Memory


def memory(*devices: torch.device) -> Memory:
    """Resident memory of this process, and torch's allocator where the device has one.

    Of several GPUs of one process: of the one whose memory was fullest.
    """
    device = devices[0]
    rss = int(psutil.Process().memory_info().rss)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    peak_rss = max(rss, peak if sys.platform == "darwin" else peak * 1024)
    if device.type == "cuda":
        device = max(devices, key=torch.cuda.max_memory_allocated)
        return Memory(
            rss=rss,
            peak_rss=peak_rss,
            allocated=torch.cuda.memory_allocated(device),
            reserved=torch.cuda.memory_reserved(device),
            peak_allocated=torch.cuda.max_memory_allocated(device),
            peak_reserved=torch.cuda.max_memory_reserved(device),
        )
    if device.type == "mps":
        return Memory(
            rss=rss,
            peak_rss=peak_rss,
            allocated=torch.mps.current_allocated_memory(),
            reserved=torch.mps.driver_allocated_memory(),
        )
    return Memory(rss=rss, peak_rss=peak_rss)
