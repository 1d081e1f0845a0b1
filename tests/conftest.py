"""What every test has: a home of its own, and, where they are there, real photographs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(autouse=True)
def private_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Directories of this test alone, so that nothing of the user's is read or written."""
    home = tmp_path_factory.mktemp("home")
    for variable, name in (
        ("XDG_STATE_HOME", "state"),
        ("XDG_CACHE_HOME", "cache"),
        ("XDG_CONFIG_HOME", "config"),
        ("RESNET_TUI_EXPERIMENTS", "experiments"),
    ):
        monkeypatch.setenv(variable, str(home / name))
    return home


@pytest.fixture(scope="session")
def photos() -> Path:
    """397 photographs of ants and bees: ``train/`` and ``val/`` with two classes each."""
    named = os.environ.get("RESNET_TUI_TEST_PHOTOS")
    folder = Path(named) if named else REPOSITORY.parent / "shared" / "data" / "hymenoptera"
    if not (folder / "train").is_dir():
        pytest.skip(
            f"no photographs at {folder}; set RESNET_TUI_TEST_PHOTOS to a folder of images "
            "with train/ and val/"
        )
    return folder


@pytest.fixture(scope="session")
def sample_data() -> Path:
    """The digits of this repository."""
    return REPOSITORY / "sample_data"
