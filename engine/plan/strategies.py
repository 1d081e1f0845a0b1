"""The strategies as data: a parallelism and a few switches with a name, one line each."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal

from engine.errors import StrategyError
from engine.plan.text import clean

Parallelism = Literal["none", "dp", "ddp", "fsdp", "gpipe", "pipeline"]

ALIASES = {"checkpointing": "gradient-checkpointing"}
"""Other names that people know a strategy by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Strategy:
    """A way of training: how it spreads over devices, and the switches that it fixes.

    A switch is a setting of the same name (see ``engine.plan.config``). ``None`` leaves it to the
    settings; ``engine.plan.switches`` puts the two together and says what cannot be combined.
    """

    name: str
    explanation: str
    parallelism: Parallelism = "none"
    precision: str | None = None
    """``fp32``, ``tf32``, ``bf16``, ``fp16`` or ``mixed`` (bf16, else fp16)."""
    gradient_checkpointing: bool | None = None
    compile: bool | None = None
    channels_last: str | None = None
    sync_bn: bool | None = None
    accumulate: int | None = None
    nproc: int | None = None
    stages: int | None = None
    micro_batches: int | None = None
    schedule: str | None = None
    balance: tuple[int, ...] | None = None
    recompute: str | None = None

    @property
    def launched_by_torchrun(self) -> bool:
        """Whether it is several processes, one per device, or one process for all of them."""
        return self.parallelism in ("ddp", "fsdp", "pipeline")


SWITCHES: tuple[str, ...] = tuple(
    each.name
    for each in fields(Strategy)
    if each.name not in ("name", "explanation", "parallelism")
)
"""The settings that a strategy may fix."""

STRATEGIES: tuple[Strategy, ...] = (
    Strategy(
        name="single",
        explanation="one device, full precision: the plain way",
        precision="fp32",
        gradient_checkpointing=False,
    ),
    Strategy(
        name="amp",
        explanation="mixed precision: most arithmetic in 16 bits, weights in 32",
        precision="mixed",
    ),
    Strategy(
        name="gradient-checkpointing",
        explanation="activations computed twice instead of kept: less memory, more time",
        gradient_checkpointing=True,
    ),
    Strategy(
        name="dp",
        explanation="DataParallel: one process feeds all GPUs",
        parallelism="dp",
    ),
    Strategy(
        name="ddp",
        explanation="DistributedDataParallel: one process per device, gradients averaged",
        parallelism="ddp",
    ),
    Strategy(
        name="fsdp",
        explanation="fully sharded: weights, gradients and optimiser spread over the devices",
        parallelism="fsdp",
    ),
    Strategy(
        name="gpipe",
        explanation="GPipe (torchgpipe): micro-batches through stages, one process",
        parallelism="gpipe",
    ),
    Strategy(
        name="pipeline",
        explanation="torch's pipelining: micro-batches through stages, a process per stage",
        parallelism="pipeline",
    ),
)
"""In the order of the keys 1, 2, ... on Setup."""


def known_strategies() -> tuple[Strategy, ...]:
    """The presets, then those that the user's own files name, read once.

    Raises ``ConfigFileError``. Once it has answered it answers always, and at once.
    """
    from engine.plan.userfiles import user_strategies

    return STRATEGIES + user_strategies()


def strategy(name: str) -> Strategy:
    """The strategy of that name or alias; raises ``StrategyError`` with the names there are."""
    wanted = ALIASES.get(name, name)
    for each in STRATEGIES:
        if each.name == wanted:
            return each
    known = known_strategies()
    for each in known:
        if each.name == wanted:
            return each
    names = ", ".join(each.name for each in known)
    raise StrategyError(f"there is no strategy {clean(name)!r}; choose from {names}")
