"""Tells when a backward pass has computed all that it had to.

The first weight of a network is the last one that has its gradient. What a wrapper does after that,
before ``backward`` returns, is to wait for what other ranks send.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn


class LastGradient:
    """Watches one weight; says so once for every time it is asked to.

    torch calls the hook when the gradient has been added to ``weight.grad`` and before DDP hears of
    it; on a GPU from autograd's thread, while the training thread is in ``backward``.
    """

    def __init__(self, weight: nn.Parameter) -> None:
        self._tell: Callable[[], None] | None = None
        weight.register_post_accumulate_grad_hook(self._came)  # type: ignore[no-untyped-call]

    def when_it_came(self, tell: Callable[[], None]) -> None:
        """In the next backward pass."""
        self._tell = tell

    def is_awaited(self) -> bool:
        """Whether it did not come since; it need not be told any more then."""
        awaited, self._tell = self._tell is not None, None
        return awaited

    def _came(self, weight: Tensor) -> None:
        tell, self._tell = self._tell, None
        if tell is not None:
            tell()
