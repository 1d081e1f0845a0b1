"""Each ring, imported in a fresh interpreter: what it must never bring along."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

TORCH = {"torch", "torchvision", "torchgpipe"}
SCREEN = {"textual", "rich", "plotext"}


def modules(folder: str) -> list[str]:
    """Every module under a folder of the repository, by its dotted name, but ``__main__``."""
    paths = (REPOSITORY / folder).rglob("*.py")
    names = (path.relative_to(REPOSITORY).with_suffix("").parts for path in paths)
    return sorted(
        ".".join(part for part in parts if part != "__init__")
        for parts in names
        if parts[-1] != "__main__"
    )


def loaded_by(code: str) -> set[str]:
    """The top-level packages that a fresh interpreter has loaded after ``code``."""
    result = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys\nprint(*sys.modules)"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert result.returncode == 0, result.stderr
    return {name.partition(".")[0] for name in result.stdout.splitlines()[-1].split()}


def importing(names: list[str]) -> str:
    assert names
    return "\n".join(f"import {name}" for name in names)


@pytest.mark.parametrize(
    ("ring", "never"),
    [
        ("engine/plan", TORCH | SCREEN | {"tui", "numpy"}),
        ("engine/journal", TORCH | SCREEN | {"tui"}),
        ("engine/run", TORCH | SCREEN | {"tui"}),
        ("engine/report", TORCH | SCREEN | {"tui"}),
        ("tui", TORCH),
        ("tui/widgets", TORCH | {"psutil", "pynvml"}),
    ],
)
def test_a_ring_keeps_to_itself(ring: str, never: set[str]) -> None:
    assert not loaded_by(importing(modules(ring))) & never


def test_the_noun_everything_shares_is_light() -> None:
    assert not loaded_by("import engine.experiment, engine.errors") & (TORCH | SCREEN | {"tui"})


@pytest.mark.parametrize("package", ["engine", "tui"])
def test_package_roots_import_nothing(package: str) -> None:
    heavy = TORCH | SCREEN | {"numpy", "msgspec", "PIL", "psutil"}

    assert not loaded_by(f"import {package}") & heavy


@pytest.mark.parametrize("arguments", [["--help"], ["train", "--help"], ["--version"]])
def test_help_comes_without_the_heavy_packages(arguments: list[str]) -> None:
    code = (
        "import tui.cli\n"
        f"try:\n    tui.cli.main({arguments!r})\n"
        "except SystemExit as end:\n    assert end.code == 0"
    )

    assert not loaded_by(code) & (TORCH | SCREEN | {"numpy", "PIL", "psutil"})


def test_training_needs_nothing_of_the_screen() -> None:
    loaded = loaded_by(importing(modules("engine/train")))

    assert "torch" in loaded
    assert not loaded & (SCREEN | {"tui"})


def test_no_initialisation_file_has_content() -> None:
    files = [
        *(REPOSITORY / "engine").rglob("__init__.py"),
        *(REPOSITORY / "tui").rglob("__init__.py"),
    ]

    assert len(files) >= 5
    assert [str(path) for path in files if path.read_text(encoding="utf-8").strip()] == []


def test_sources_compile_for_the_oldest_python_they_promise() -> None:
    for folder in ("engine", "tui", "tools", "sample_data"):
        for path in Path(REPOSITORY, folder).rglob("*.py"):
            ast.parse(path.read_bytes(), str(path), feature_version=(3, 11))
