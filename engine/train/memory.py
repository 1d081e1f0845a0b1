"""What a rank holds in memory, asked without disturbing the device."""

from __future__ import annotations

import resource
import sys
from collections.abc import Sequence
from pathlib import Path

import psutil
import torch

from engine.journal.events import Memory

_STATUS = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")


class Gauge:
    """Memory of this process, and of torch's allocator where the device has one.

    Peaks are since ``forget_peaks``, and without the first batch of every size, in training and in
    validation: cuDNN tries its algorithms in it, in memory that no later one needs.
    """

    def __init__(self, devices: Sequence[torch.device]) -> None:
        self._kind = devices[0].type
        self._devices = tuple(devices)
        self._seen: set[tuple[int, bool]] = set()
        self._trying = False
        self._kept = dict.fromkeys(devices, (0, 0))
        """Peaks before the latest step that does not count: allocated, reserved."""
        self._highest = 0
        """Of this process's own memory so far: the kernel's figure is rounded anew at every look,
        and may be lower than it was."""

    def forget_peaks(self) -> None:
        """What was before, such as imports and a warm-up, is no peak of the training."""
        self._kept = dict.fromkeys(self._devices, (0, 0))
        self._highest = 0
        self._reset()
        try:
            # "To reset the peak resident set size, 5 can be written": proc_pid_clear_refs(5).
            _CLEAR.write_text("5")
        except OSError:
            # Not Linux, or not allowed: the peak is that of the process's whole life.
            return

    def begin(self, images: int, *, validating: bool = False) -> None:
        """A batch of so many images begins."""
        if self._kind != "cuda" or (images, validating) in self._seen:
            return
        self._seen.add((images, validating))
        self._kept = {device: self._peaks(device) for device in self._devices}
        self._trying = True

    def end(self) -> None:
        """All of it was launched; the allocator is the host's, and has no more to do for it."""
        if self._trying:
            self._reset()
            self._trying = False

    def read(self, *, room: bool = False) -> Memory:
        """Now; of several GPUs of one process, of the one whose memory was fullest.

        ``room``: the device's driver is asked as well, for what is free.
        """
        rss = int(psutil.Process().memory_info().rss)
        peak_rss = self._highest = max(self._highest, rss, _peak_rss())
        if self._kind == "cuda":
            device = max(self._devices, key=self._peaks)
            # torch's other functions flatten and sort all of it for every single number.
            stats = torch.cuda.memory.memory_stats_as_nested_dict(device)
            allocated, reserved = self._peaks(device)
            return Memory(
                rss=rss,
                peak_rss=peak_rss,
                allocated=stats["allocated_bytes"]["all"]["current"],
                reserved=stats["reserved_bytes"]["all"]["current"],
                peak_allocated=allocated,
                peak_reserved=reserved,
                retries=stats["num_alloc_retries"],
                failures=stats["num_ooms"],
                room=stats["reserved_bytes"]["all"]["current"] + torch.cuda.mem_get_info(device)[0]
                if room
                else None,
            )
        if self._kind == "mps":
            return Memory(
                rss=rss,
                peak_rss=peak_rss,
                allocated=torch.mps.current_allocated_memory(),
                reserved=torch.mps.driver_allocated_memory(),
            )
        return Memory(rss=rss, peak_rss=peak_rss)

    def _peaks(self, device: torch.device) -> tuple[int, int]:
        stats = torch.cuda.memory.memory_stats_as_nested_dict(device)
        allocated, reserved = self._kept[device]
        which = "current" if self._trying else "peak"
        return (
            max(allocated, stats["allocated_bytes"]["all"][which]),
            max(reserved, stats["reserved_bytes"]["all"][which]),
        )

    def _reset(self) -> None:
        if self._kind == "cuda":
            for device in set(self._devices):
                torch.cuda.reset_peak_memory_stats(device)


def _peak_rss() -> int:
    """Of this process, in bytes; where it can be reset, since then."""
    try:
        for line in _STATUS.read_text(encoding="utf-8", errors="replace").split("\n"):
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
