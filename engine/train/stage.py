"""Neighbouring layers of a network that one device computes, micro-batch after micro-batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from torch import Tensor, nn

from engine.errors import TrainingError
from engine.plan.stages import Balance
from engine.train import norm
from engine.train.arithmetic import Arithmetic
from engine.train.stage_clock import Stopwatch, Timed


def _never() -> bool:
    return False


class Stage(nn.Module):
    """One stage, with what must happen around every pass through it.

    Libraries call it in threads of their own, where neither autocast nor what else a context sets
    in the training thread is known: it is entered here. ``recomputing`` tells whether a pass
    repeats another, so that statistics do not move for it.
    """

    def __init__(
        self,
        layers: nn.Sequential,
        number: int,
        arithmetic: Arithmetic,
        busy: Stopwatch,
        *,
        needs_company: bool,
        recomputing: Callable[[], bool] = _never,
    ) -> None:
        """``needs_company``: images are so small that one alone cannot be normalised."""
        super().__init__()
        self.timed = Timed(layers, busy, first=number == 0)
        self._number = number
        self._arithmetic = arithmetic
        self._needs_company = needs_company
        self._recomputing = recomputing

    def forward(self, x: Tensor) -> Tensor:
        alone = self.training and self._needs_company and len(x) == 1
        with (
            never_ending_the_process(f"stage {self._number + 1} of the pipeline"),
            norm.recomputing(self._recomputing()),
            norm.frozen(self.timed, alone),
            self._arithmetic.autocast(),
        ):
            result: Tensor = self.timed(x)
        return result


@contextmanager
def never_ending_the_process(what: str) -> Iterator[None]:
    """Turns what would end the process into an error of ours.

    Whoever runs stages in threads waits for ever for one that ends without an ``Exception``.
    """
    try:
        yield
    except Exception:
        raise
    except BaseException as error:
        raise TrainingError(
            f"{what} was ended by {type(error).__name__}: something that it computes asked the "
            "process to end; start the run again"
        ) from error


def cut(sequence: nn.Sequential, balance: Balance) -> list[nn.Sequential]:
    """The layers of each stage, under their names in ``sequence``."""
    stages, first = [], 0
    for layers in balance:
        stages.append(sequence[first : first + layers])
        first += layers
    return stages


def learns(sequence: nn.Sequential) -> list[bool]:
    """Of each layer, whether it has weights."""
    return [next(each.parameters(), None) is not None for each in sequence]
