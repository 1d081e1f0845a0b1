"""GPUs that a driver shows and torch cannot use: which, why, and what to install. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from engine.plan.uuids import bare

Version = tuple[int, int]

_FIRST_DRIVER = {11: "450", 12: "525", 13: "580"}
"""The first NVIDIA driver that runs any CUDA of that number (minor versions are compatible)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gpu:
    """A GPU as its driver shows it."""

    name: str
    uuid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the NVIDIA driver and torch each say."""

    torch: str
    torch_cuda: str | None = None
    """The CUDA that torch is built for, ``13.2``."""
    torch_rocm: str | None = None
    seen: tuple[str, ...] = ()
    """The UUIDs of the GPUs that torch sees."""
    refusal: str = ""
    """What torch says where it sees none."""
    driver: str = ""
    """Its version; empty where there is no driver."""
    driver_cuda: Version | None = None
    """The newest CUDA that the driver knows."""
    gpus: tuple[Gpu, ...] | None = None
    """What the driver shows; ``None`` where it cannot be asked."""
    problem: str = ""
    """Why it cannot be asked."""
    visible: str | None = None
    """``CUDA_VISIBLE_DEVICES``."""


def unusable(facts: Facts) -> tuple[str, ...]:
    """A sentence where torch cannot use all of the GPUs, with what to do; nothing where it can."""
    if not facts.driver or facts.torch_rocm is not None:
        return ()
    if facts.gpus is None:
        return () if facts.seen else (_told(facts, "an NVIDIA driver is here"),)
    missing = len(facts.gpus) - len(facts.seen)
    if missing <= 0:
        return ()
    return (_told(facts, f"the driver shows {_names(facts, missing)}"),)


def _told(facts: Facts, shown: str) -> str:
    torch = f"this torch ({facts.torch})"
    it = "it" if facts.gpus is None or len(facts.gpus) - len(facts.seen) == 1 else "them"
    if facts.torch_cuda is None:
        return f"{shown}, and {torch} is built for CPUs only; {_builds(facts)}"
    if _is_too_old(facts):
        assert facts.driver_cuda is not None
        major = _major(facts.torch_cuda)
        newer = f", {_FIRST_DRIVER[major]} or later" if major in _FIRST_DRIVER else ""
        return (
            f"{shown}, and driver {facts.driver} is too old for {torch}: it knows CUDA up to "
            f"{facts.driver_cuda[0]}.{facts.driver_cuda[1]}, and torch is built for CUDA "
            f"{facts.torch_cuda}; install a newer driver{newer}, or {_builds(facts)}"
        )
    why = f" ({facts.refusal})" if facts.refusal else ""
    if facts.problem:
        return (
            f"{shown} and cannot be asked: {facts.problem}{why}; restart the machine where the "
            "driver was just updated; in a container, give it access to the GPUs"
        )
    if facts.visible is not None:
        return (
            f"{shown}, and CUDA_VISIBLE_DEVICES={facts.visible!r} hides {it} from torch; unset it, "
            "or name the GPUs that are to be used in it"
        )
    return (
        f"{shown}, and {torch} cannot use {it}{why}; restart the machine where the driver was just "
        "updated; in a container, give it access to the GPUs"
    )


def _names(facts: Facts, missing: int) -> str:
    """Those that torch does not see, or how many where they cannot be told apart."""
    gpus = facts.gpus or ()
    seen = {bare(each) for each in facts.seen}
    hidden = [each.name for each in gpus if bare(each.uuid) not in seen]
    if len(hidden) != missing:
        return f"{len(gpus)} GPUs, {missing} of them out of torch's sight"
    counts = {name: hidden.count(name) for name in hidden}
    return " and ".join(
        f"{count} x {name}" if count > 1 else name for name, count in counts.items()
    )


def _builds(facts: Facts) -> str:
    if facts.driver_cuda is None:
        return "install torch and torchvision built for CUDA"
    return f"install torch and torchvision built for CUDA {facts.driver_cuda[0]}"


def _is_too_old(facts: Facts) -> bool:
    # A torch for 12.8 runs on a driver for 12.2: only the first number must be known to it.
    if facts.driver_cuda is None or facts.torch_cuda is None:
        return False
    return facts.driver_cuda[0] < _major(facts.torch_cuda)


def _major(version: str) -> int:
    first = version.partition(".")[0]
    return int(first) if first.isdigit() else 0
