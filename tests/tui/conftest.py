"""What tests of the screens share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from textual import _wait

QUARTER = 0.25
"""Of the 20 ms for which Textual's pilot looks on, at each key, whether the application rests."""


@pytest.fixture(autouse=True, scope="session")
def shorter_looks() -> Iterator[None]:
    """The pilot looks four times as often, and wants the same share of rest as ever."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("SLEEP_GRANULARITY", "SLEEP_IDLE"):
            patch.setattr(_wait, name, QUARTER * getattr(_wait, name))
        yield
