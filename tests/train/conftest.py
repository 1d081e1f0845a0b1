from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.train.making import images
from tests.train.nursery import Nursery

# As a rank does it; before the tests import torch.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


@pytest.fixture(autouse=True, scope="session")
def shared_cores() -> None:
    """Where tests train side by side, each computes on its share of the cores."""
    sharing = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if sharing > 1:
        import torch

        torch.set_num_threads(max(1, torch.get_num_threads() // sharing))


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """3 classes, 24 training and 12 validation images of 32 px."""
    return images(tmp_path_factory.mktemp("pictures"))


@pytest.fixture
def signals() -> Iterator[None]:
    """For tests that let a rank run inside this process: gives the handlers back."""
    before = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    """A process that forks ranks: torch is imported once for all of them."""
    made = Nursery()
    yield made
    made.close()
