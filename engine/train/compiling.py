"""torch.compile, and a sentence where this machine cannot compile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn
from torch._dynamo.exc import TorchDynamoException

from engine.errors import TrainingError


def compiled(model: nn.Module) -> nn.Module:
    """Calls like ``model`` and shares its weights; nothing is compiled before the first call.

    Every shape is compiled for itself: left to itself torch compiles the second one for any number
    of images, and uses that, which is slower, for the first one from then on.
    """
    result: nn.Module = torch.compile(model, dynamic=False)  # type: ignore[assignment]
    return result


@contextmanager
def explained() -> Iterator[None]:
    """Around everything that compiles; raises ``TrainingError``."""
    try:
        yield
    except TorchDynamoException as error:
        # The first line names the exception of the compiler's backend, and says what it lacks.
        reason = str(error).strip().partition("\n")[0].rstrip(".")
        raise TrainingError(
            f"torch.compile failed on this machine ({reason}); it needs a C++ compiler such as "
            "g++, and Triton on a GPU: install them, or train without --compile"
        ) from error
