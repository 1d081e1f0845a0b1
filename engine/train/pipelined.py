"""One rank's stage in torch's pipelining: micro-batches come, are computed, and go on.

torch's pipelining wants all micro-batches of a schedule to be equally large. A batch that does not
divide is cut as torchgpipe cuts it, into equal ones and a smaller last one, which follows in a
schedule of its own: no micro-batch is larger than those of a full batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.pipelining import PipelineStage, Schedule1F1B, ScheduleGPipe

from engine.train.wires import Wire, Wired

Kind = Literal["gpipe", "1f1b"]
Loss = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True, slots=True)
class Post:
    """Where a rank stands in the pipeline, and what comes in and goes out there."""

    number: int
    count: int
    before: Wire
    """Images, on the first rank."""
    after: Wire
    """Logits, on the last rank."""

    @property
    def first(self) -> bool:
        return self.number == 0

    @property
    def last(self) -> bool:
        return self.number == self.count - 1


class Pipelined:
    """Batches through a stage. Every rank makes the same calls, with batches of the same size."""

    def __init__(self, stage: nn.Module, post: Post, kind: Kind, micro_batches: int) -> None:
        self.network = Wired(
            stage,
            None if post.first else post.before,
            None if post.last else post.after,
        )
        self._post = post
        self._kind = kind
        self._micro_batches = micro_batches
        self._schedules: dict[tuple[int, int], ScheduleGPipe | Schedule1F1B] = {}
        self._loss: Loss

    def step(self, images: Tensor, labels: Tensor, loss: Loss) -> None:
        """Adds the gradients of a batch, whose ``images`` count on the first rank alone.

        On the last rank ``loss`` is called with the logits and labels of every micro-batch.
        """
        self._loss = loss
        end = 0
        for count, size in groups(len(labels), self._micro_batches):
            begin, end = end, end + count * size
            schedule = self._schedule(count, size)
            given = (images[begin:end],) if self._post.first else ()
            wanted: dict[str, Any] = {"target": labels[begin:end]} if self._post.last else {}
            with _told_plainly():
                schedule.step(*given, **wanted)

    def through(self, images: Tensor, count: int) -> Tensor | None:
        """The logits of ``count`` images on the last rank; forward only."""
        post, sent, out = self._post, [], []
        begin = 0
        for times, size in groups(count, self._micro_batches):
            for _ in range(times):
                if post.first:
                    x = images[begin : begin + size]
                else:
                    x = post.before.buffer(size)
                    dist.recv(x, post.number - 1)
                begin += size
                y = self.network(x)
                out.append(y)
                if not post.last:
                    sent.append(dist.isend(y, post.number + 1))
        for each in sent:
            assert each is not None
            each.wait()
        return torch.cat(out) if post.last else None

    def _schedule(self, count: int, size: int) -> ScheduleGPipe | Schedule1F1B:
        """For ``count`` micro-batches of ``size`` images; made once.

        What comes in and goes out is described beforehand: left to itself torch finds out by
        computing a batch, and normalisation learns from that.
        """
        if (count, size) not in self._schedules:
            post = self._post
            stage = PipelineStage(
                self.network,
                post.number,
                post.count,
                post.before.device,
                input_args=post.before.described(size, flat=not post.first),
                output_args=post.after.described(size, flat=not post.last),
            )
            make: Any = ScheduleGPipe
            if self._kind == "1f1b" and count >= post.count:
                make = Schedule1F1B
            self._schedules[count, size] = make(
                stage, count, loss_fn=self._call_loss, scale_grads=False
            )
        return self._schedules[count, size]

    def _call_loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        return self._loss(logits, labels)


def groups(images: int, micro_batches: int) -> list[tuple[int, int]]:
    """How many micro-batches of which size a batch is cut into, as ``torch.chunk`` does it."""
    size = -(-images // micro_batches)
    whole, rest = divmod(images, size)
    return [(whole, size)] + ([(1, rest)] if rest else [])


@contextmanager
def _told_plainly() -> Iterator[None]:
    """torch's pipelining hides what went wrong behind an error that describes all tensors."""
    try:
        yield
    except RuntimeError as error:
        cause = error.__cause__
        if type(error) is not RuntimeError or cause is None:
            raise
        raise cause from cause.__cause__
