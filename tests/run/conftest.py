"""What tests of running share: a tiny data set, and an end to whatever they started."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.run.making import make_dataset, processes


@pytest.fixture(scope="session")
def squares(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_dataset(tmp_path_factory.mktemp("data") / "squares")


@pytest.fixture
def parent(tmp_path: Path) -> Iterator[Path]:
    """Where a test's experiments go; what still runs there afterwards is killed."""
    directory = tmp_path / "experiments"
    yield directory
    for process in processes(directory):
        process.kill()
