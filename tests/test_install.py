"""What ``make install`` decides, and the scripts around it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from engine.report.columns import COLUMNS
from tests.conftest import REPOSITORY
from tools import install
from tui.cli import COMMANDS

WANTED = {"torch": "2.11", "torchvision": "0.26"}


def test_the_range_is_read_from_the_project() -> None:
    text = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")

    assert install.minimum_versions(text) == WANTED


@pytest.mark.parametrize(
    ("torch", "torchvision", "reason"),
    [
        ("2.11.0", "0.26.0", ""),
        ("2.11.0+cu130", "0.26.0+cu130", ""),
        ("2.15.0", "0.29.2", ""),
        ("3.0", "1.0", ""),
        ("2.12.0a0+gitabc", "0.27.0a0", ""),
        (None, None, "has no torch"),
        ("2.15.0", None, "has no torchvision"),
        ("2.9.1", "0.26.0", "torch 2.9.1 of"),
        ("2.11.0a0+5228986c39.nv", "0.26.0", "is older than 2.11"),
        ("2.11.0rc1", "0.26.0", "is older than 2.11"),
        ("2.15.0", "0.25.9", "torchvision 0.25.9"),
    ],
)
def test_whether_a_torch_that_is_there_will_do(
    torch: str | None, torchvision: str | None, reason: str
) -> None:
    answer = install.why_not({"torch": torch, "torchvision": torchvision}, WANTED)

    assert reason in answer
    assert bool(answer) == bool(reason)


def test_pins_of_what_torch_brings_are_left_out_and_the_others_stay() -> None:
    pins = (REPOSITORY / "constraints.txt").read_text(encoding="utf-8")
    needed = install.closure(("torch", "torchvision"))
    assert {"sympy", "numpy", "mpmath"} <= needed

    left = install.without(pins, {"torch", "sympy", "typing-extensions"})

    assert "\ntorch==" not in left
    assert "typing_extensions" not in left
    assert "torchvision==" in left
    assert "textual==" in left


def test_constraints_are_names_and_versions_only_and_cover_every_requirement() -> None:
    lines = (REPOSITORY / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if not line.startswith("#")]

    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[0-9A-Za-z.+]+", pin) for pin in pins)
    pinned = {install.name_of(pin) for pin in pins}
    text = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")
    assert {install.name_of(each) for each in install.requirements(text)} <= pinned
    assert len(pinned) == len(pins)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (
            "  Downloading torch-2.15.0-cp311.whl (539.1 MB)\n",
            "downloading torch-2.15.0-cp311.whl (539.1 MB)",
        ),
        ("  Downloading https://host/x/a-1.whl (1.2 GB)", "downloading a-1.whl (1.2 GB)"),
        ("  Downloading rich-15.whl (3.1 MB)", ""),
        ("  Downloading rich-15.whl.metadata (3 kB)", ""),
        ("Installing collected packages: setuptools", ""),
        (
            "Installing collected packages: a, b, c",
            "installing 3 packages; this takes a minute or two",
        ),
        ("Collecting torch", ""),
        ("", ""),
    ],
)
def test_what_is_shown_of_pip(line: str, told: str) -> None:
    assert install.progress(line) == told


def find_python(path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", str(REPOSITORY / "tools" / "find-python.sh")],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": str(path)},
        timeout=30,
    )


def interpreter(folder: Path, name: str, text: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)


OLD = 'case "$1" in -V) echo "Python 3.9.2";; *) exit 1;; esac'
"""An interpreter of a version that is too old for all that is asked of it."""


def test_without_a_python_that_will_do_the_sentence_says_what_to_do(tmp_path: Path) -> None:
    interpreter(tmp_path, "python3", OLD)

    result = find_python(tmp_path)

    assert result.returncode == 1
    assert "Python 3.11 or newer is needed and was not found (python3 is: Python 3.9.2)" in (
        result.stderr
    )
    assert "make PYTHON=" in result.stderr


def test_an_old_python3_gives_way_to_a_newer_one_of_another_name(tmp_path: Path) -> None:
    interpreter(tmp_path, "python3", OLD)
    interpreter(tmp_path, "python3.12", f'exec "{sys.executable}" "$@"')

    assert find_python(tmp_path).stdout == "python3.12\n"


def test_the_python_that_has_torch_is_preferred(tmp_path: Path) -> None:
    interpreter(tmp_path, "python3", f'exec "{sys.executable}" -S "$@"')
    interpreter(tmp_path, "python3.11", f'exec "{sys.executable}" "$@"')

    assert find_python(tmp_path).stdout == "python3.11\n"


def test_a_python_without_venv_is_told_apart(tmp_path: Path) -> None:
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "venv.py").write_text("raise ImportError('no venv here')")
    interpreter(tmp_path / "bin", "python3", f'PYTHONPATH="{hidden}" exec "{sys.executable}" "$@"')

    result = find_python(tmp_path / "bin")

    assert result.returncode == 1
    assert "python3 cannot make virtual environments" in result.stderr


def test_what_cannot_be_installed_is_told_without_a_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setattr(sys, "argv", ["install.py", "--venv", str(tmp_path / "file")])
    monkeypatch.setattr(install, "why_not_importable", lambda: "for this test it is not used")

    assert install.main() == 1

    assert "no virtual environment could be made" in capsys.readouterr().err
    assert (tmp_path / "file").read_text() == "in the way"


def test_the_readme_names_every_column_of_the_table_and_every_command() -> None:
    words = set(re.findall(r"[\w-]+", (REPOSITORY / "README.md").read_text(encoding="utf-8")))

    assert {column.name for column in COLUMNS} <= words
    assert set(COMMANDS) <= words
    page = (REPOSITORY / "docs" / "comparing.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| [^|]* \| (.+) \|$", page, re.MULTILINE)
    assert rows == [(column.name, column.about) for column in COLUMNS]
