"""A stand-in for NVIDIA's driver library, for machines without a GPU.

``build`` compiles it; a process that has ``environment`` loads it through its own nvidia-ml-py.
``Script`` says what it answers, and can be changed meanwhile (see ``libnvidia-ml.c``).

``python -m tests.run.nvml.standin DIRECTORY`` makes eight lively GPUs until it is interrupted, and
prints what to put before ``resnet-tui``. Whatever trains meanwhile is shown to hold their memory.
"""

from __future__ import annotations

import math
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import psutil

SOURCE = Path(__file__).with_name("libnvidia-ml.c")
LIBRARY = "libnvidia-ml.so.1"
VARIABLE = "STANDIN_NVML_SCRIPT"

NO_COMPILER = "no C compiler (cc) here to build the stand-in for NVIDIA's library with"


def compiler() -> str | None:
    return shutil.which("cc")


def build(directory: Path) -> Path:
    """Compiles the library into ``directory``, and returns that."""
    command = (compiler() or "cc", "-O1", "-shared", "-fPIC", "-o", LIBRARY, str(SOURCE))
    subprocess.run(command, cwd=directory, check=True)
    return directory


class Script:
    """What the driver answers: lines of a key and a value, rewritten at once at every change."""

    def __init__(self, path: Path, gpus: int = 8) -> None:
        self.path = path
        self._lines: dict[str, object] = {}
        self.put({"count": gpus})

    def put(self, lines: Mapping[str, object]) -> None:
        """Adds or changes lines: ``{"gpu 3 temperature": 91, "fail nvmlInitWithFlags": 9}``."""
        self._lines.update(lines)
        self._write()

    def drop(self, *keys: str) -> None:
        for key in keys:
            self._lines.pop(key, None)
        self._write()

    def environment(self, library: Path) -> dict[str, str]:
        """What a process needs to load the library from the directory ``library``."""
        before = os.environ.get("LD_LIBRARY_PATH", "")
        paths = f"{library}{os.pathsep}{before}" if before else str(library)
        return {"LD_LIBRARY_PATH": paths, VARIABLE: str(self.path)}

    def _write(self) -> None:
        text = "".join(f"{key} {value}\n" for key, value in self._lines.items())
        new = self.path.with_suffix(".new")
        new.write_text(text, encoding="utf-8")
        new.replace(self.path)


def lively(second: float) -> dict[str, object]:
    """Eight GPUs at work: waves, one of them hot, one shared with a foreign job."""
    lines: dict[str, object] = {}
    for index in range(8):
        busy = 0.75 + 0.2 * math.sin(second / 7 + index)
        hot = index == 5
        lines |= {
            f"gpu {index} utilization": round(100 * busy),
            f"gpu {index} memory_reserved": 600 << 20,
            f"gpu {index} memory_used": round((21 + 3 * math.sin(second / 20 + index)) * 2**30)
            + ((30 << 30) if index == 6 else 0),
            f"gpu {index} temperature": round(91 if hot else 52 + 9 * busy),
            f"gpu {index} power": round(1000 * (120 + 480 * busy)),
            f"gpu {index} sm_clock": 1230 if hot else 1980,
            f"gpu {index} reasons": 0x48 if hot else 0x4 if index == 2 else 0,
            f"gpu {index} pcie_rx": round(900_000 * busy),
            f"gpu {index} pcie_tx": round(90_000 * busy),
            f"gpu {index} field 138": round(40e6 * second),
            f"gpu {index} field 139": round(41e6 * second),
        }
    return lines | {"gpu 6 process 1": 30 << 30}


def _ranks() -> list[int]:
    found = []
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if "engine.train" in words and "fit" in words and "torchrun" not in " ".join(words):
            found.append(process.pid)
    return sorted(found)


def main(arguments: list[str]) -> None:
    directory = Path(arguments[0]).resolve()
    directory.mkdir(parents=True, exist_ok=True)
    script = Script(directory / "script")
    began = time.monotonic()
    script.put(lively(0.0))
    words = script.environment(build(directory)).items()
    print(" ".join(f"{name}={value}" for name, value in words), flush=True)
    while True:
        script.drop(*(key for key in list(script._lines) if " process " in key))
        holding = {f"gpu {place % 8} process {pid}": 18 << 30 for place, pid in enumerate(_ranks())}
        script.put(lively(time.monotonic() - began) | holding)
        time.sleep(0.5)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        pass
