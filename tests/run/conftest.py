"""What tests of running share: a tiny data set, and an end to whatever they started."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.run.making import make_dataset, processes
from tests.run.nvml import standin
from tests.run.nvml.driver import Driver


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "attempt(deed, *wishes): what the ranks of this test's attempt do"
    )


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


@pytest.fixture(scope="session")
def nvml(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the stand-in for NVIDIA's library lies."""
    if standin.compiler() is None:
        pytest.skip(standin.NO_COMPILER)
    return standin.build(tmp_path_factory.mktemp("nvml"))


@pytest.fixture
def driver(nvml: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Driver]:
    """Eight GPUs that nobody has, and the process that reads them once it is started."""
    made = Driver(nvml, tmp_path, monkeypatch)
    yield made
    made.close()
    left = processes(tmp_path)
    for process in left:
        process.kill()
    assert left == []
