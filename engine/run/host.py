"""What this machine has and how busy it is. Nothing here imports torch: a child is asked."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path

import msgspec
import psutil

from engine import cgroup
from engine.errors import ExperimentError
from engine.experiment import write_atomically
from engine.plan import places
from engine.plan.machine import Machine
from engine.plan.text import clean
from engine.run.launch import available_cores, python, torch_environment

_PROBE_SECONDS = 120.0
"""A cold import of torch from a network disk takes most of a minute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Busyness:
    """How much of the machine is in use now. Memory in bytes, of the control group if limited."""

    cores: int
    load: float
    """Processes that want a core, averaged over a minute."""
    memory_available: int
    memory_total: int
    shared_memory_free: int | None
    """Of /dev/shm, through which loader workers hand over images; ``None``: there is none."""


def cores() -> int:
    """Cores to plan with: by the scheduler's mask and the control group's limit."""
    return cgroup.whole_cores(cgroup.cpu_limit(), available_cores())


def machine_name() -> str:
    """The processor's name, for a line on the screen."""
    try:
        for line in (
            Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
        ):
            if line.startswith("model name"):
                return clean(line.partition(":")[2].strip())
    except OSError:
        pass
    return clean(platform.processor() or platform.machine())


def busyness() -> Busyness:
    memory = psutil.virtual_memory()
    total, available = memory.total, memory.available
    shared = shared_memory()
    limit, used = cgroup.memory_limit(), cgroup.memory_used()
    if limit is not None and used is not None and limit < total:
        total, available = limit, min(available, max(0, limit - used))
    return Busyness(
        cores=cores(),
        load=os.getloadavg()[0],
        memory_available=available,
        memory_total=total,
        shared_memory_free=None if shared is None else shared[0],
    )


def shared_memory() -> tuple[int, int] | None:
    """Bytes free and in all of ``/dev/shm``, through which loader workers hand over images."""
    try:
        status = os.statvfs("/dev/shm")
    except OSError:
        return None
    return status.f_bavail * status.f_frsize, status.f_blocks * status.f_frsize


def probe(refresh: bool = False) -> Machine:
    """What torch can use here, asked of a child once and remembered until something changes.

    Blocks for seconds the first time. Never raises: where nothing can be asked, the answer is a
    machine with a ``problem``.
    """
    remembered = _cache_file()
    machine = None if refresh else _remembered(remembered)
    if machine is None:
        machine = _ask()
        if not machine.problem:
            _remember(remembered, machine)
    return replace(machine, cores=cores())


def _ask() -> Machine:
    command = python("-m", "engine.train", "probe")
    environment = {**os.environ, **torch_environment(os.environ)}
    try:
        answer = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PROBE_SECONDS,
            env=environment,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Machine(problem=f"importing torch took more than {_PROBE_SECONDS:.0f} s")
    except OSError as error:
        return Machine(problem=f"{command[0]} cannot be run: {error.strerror}")
    lines = answer.stdout.decode("utf-8", errors="replace").strip().splitlines()
    try:
        return msgspec.json.decode(lines[-1] if lines else "", type=Machine)
    except msgspec.MsgspecError:
        errors = answer.stderr.decode("utf-8", errors="replace").strip().splitlines()
        told = clean(errors[-1]) if errors else f"exit code {answer.returncode}"
        return Machine(problem=f"torch cannot be asked what it can use: {told}")


def _cache_file() -> Path:
    digest = hashlib.sha256(repr(_facts()).encode("utf-8", errors="surrogateescape")).hexdigest()
    return places.cache() / f"machine-{digest[:16]}.json"


def _facts() -> list[str]:
    """Whatever changes the probe's answer when it changes."""
    return [
        *(_version(package) for package in ("resnet-tui", "torch", "torchvision")),
        platform.python_version(),
        python()[0],
        platform.node(),
        platform.machine(),
        _first_line(Path("/proc/driver/nvidia/version")),
        *sorted(path.name for path in Path("/dev").glob("nvidia*")),
        *(
            f"{name}={os.environ.get(name)}"
            for name in ("CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER", "LD_LIBRARY_PATH")
        ),
    ]


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def _first_line(path: Path) -> str:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return file.readline().strip()
    except OSError:
        return ""


def _remembered(path: Path) -> Machine | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Machine)
    except (OSError, msgspec.MsgspecError):
        return None


def _remember(path: Path, machine: Machine) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, msgspec.json.encode(machine))
    except (OSError, ExperimentError):
        return  # A read-only home: the next time asks again.
