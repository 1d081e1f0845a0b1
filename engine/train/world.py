"""The ranks of a run as one of them sees them, and what they agree on."""

from __future__ import annotations

import gc
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from engine.train.metrics import Sums

_TOLD = 4
"""Numbers that a rank tells of itself before every step."""
_GRACE = 30.0
"""Seconds by which torch waits longer than the supervisor, who knows better which rank hangs."""


@dataclass(frozen=True, slots=True)
class Agreed:
    """What all ranks know of a step before they compute it."""

    stop: bool
    """Some rank was asked to stop."""
    late: bool
    """Some rank's clock says that the time is up."""
    missing: int
    """Images of the global batch that cannot be decoded."""
    positions: tuple[int, ...] = ()
    """Their places in the global batch, where all ranks share one (``Feed.shards`` is 1)."""
    save: bool = False
    """Some rank was asked to save, or its clock says that it is time to."""


@dataclass(frozen=True, slots=True)
class World:
    """``rank`` of ``size`` processes. Alone, nothing is exchanged and nothing costs anything."""

    rank: int = 0
    size: int = 1
    local_rank: int = 0
    local_size: int = 1

    @property
    def first(self) -> bool:
        """Whether this rank speaks for all: it validates, saves and tells."""
        return self.rank == 0

    def join(self, device: torch.device, hang_timeout: float) -> None:
        """Meets the other ranks. Tensors on the CPU travel through gloo, those on GPUs nccl."""
        if self.size == 1 and "TORCHELASTIC_RUN_ID" not in os.environ:
            return
        dist.init_process_group(
            "cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo",
            timeout=timedelta(seconds=hang_timeout + _GRACE),
            device_id=device if device.type == "cuda" else None,
        )

    def leave(self) -> None:
        """Ends the threads that exchange, after all that uses them: one that is left meets an
        interpreter that is shutting down, and ends the process with SIGABRT (seen)."""
        if dist.is_initialized():
            gc.collect()  # Wrapped models hold on to the group, and are rings of references.
            dist.destroy_process_group()

    def agree(
        self,
        planned: int,
        missing: Sequence[int] = (),
        *,
        shared: bool = False,
        stop: bool = False,
        late: bool = False,
        save: bool = False,
    ) -> Agreed:
        """Collective, once per step: what one rank knows, all know after it.

        ``planned``: images of the global batch; ``missing``: places of damaged ones in this rank's
        part of it, which is the whole batch where it is ``shared``.
        """
        if self.size == 1:
            return Agreed(stop, late, len(missing), tuple(missing) if shared else (), save)
        told = torch.zeros(_TOLD + (planned if shared else 0), dtype=torch.int64)
        told[:_TOLD] = torch.tensor([stop, late, save, len(missing)])
        if shared and missing:
            told[_TOLD + torch.tensor(missing)] = 1
        dist.all_reduce(told)
        asked, out_of_time, saving, lost, *places = told.tolist()
        positions = tuple(place for place, times in enumerate(places) if times)
        lost = len(positions) if shared else lost
        return Agreed(bool(asked), bool(out_of_time), lost, positions, bool(saving))

    def gather_objects(self, own: Any) -> list[Any]:
        """What every rank has, by rank, on the first one; nothing elsewhere. Collective."""
        if self.size == 1:
            return [own]
        parts: list[Any] | None = [None] * self.size if self.first else None
        dist.gather_object(own, parts)
        return parts or []

    def add_up(self, sums: Sums) -> Sums:
        """The sums over all ranks, the same on each of them."""
        if self.size == 1:
            return sums
        # Finite is a matter of all; counts are whole numbers that float64 holds exactly.
        told = torch.tensor(
            [sums.loss_sum, sums.top1, sums.top5, sums.images, 0.0 if sums.finite else 1.0],
            dtype=torch.float64,
        )
        dist.all_reduce(told)
        loss_sum, top1, top5, images, broken = told.tolist()
        return Sums(
            loss_sum=loss_sum,
            top1=int(top1),
            top5=int(top5),
            images=int(images),
            finite=broken == 0.0,
        )

    def gather(self, own: Tensor) -> Tensor:
        """Whole numbers of 0 or more, (n,) int64 on the CPU, from all ranks one after the other."""
        if self.size == 1:
            return own
        most = torch.tensor(len(own))
        dist.all_reduce(most, dist.ReduceOp.MAX)
        padded = torch.full((int(most),), -1)
        padded[: len(own)] = own
        told = [torch.empty_like(padded) for _ in range(self.size)]
        dist.all_gather(told, padded)
        everyone = torch.cat(told)
        return everyone[everyone >= 0]

    def told_by_first(self, words: str) -> str:
        """What the first rank says, on every rank. Collective: they wait for it."""
        own = words.encode() if self.first else b""
        told = self.gather(torch.tensor(list(own), dtype=torch.int64))
        return bytes(told.tolist()).decode()

    def wait_for_all(self) -> None:
        """Returns when every rank has come here."""
        if self.size > 1:
            dist.all_reduce(torch.zeros(1))


def from_environment() -> World:
    """What the launcher says, or a world of one."""
    return World(
        rank=int(os.environ.get("RANK", "0")),
        size=int(os.environ.get("WORLD_SIZE", "1")),
        local_rank=int(os.environ.get("LOCAL_RANK", "0")),
        local_size=int(os.environ.get("LOCAL_WORLD_SIZE", "1")),
    )


ALONE = World()
