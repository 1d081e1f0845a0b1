"""What processes put into the temporary folder is gone when they are, however they ended."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.journal import layout
from engine.journal.lock import is_held
from engine.run import control
from engine.run.spawn import start_supervisor
from engine.run.temporary import MARK, PREFIX, Temporary
from tests.run.making import eventually, has_trained, make_experiment, processes, rank_of

REPOSITORY = Path(__file__).parents[2]

LEAVES_A_FOLDER = """
import os, pathlib, sys, tempfile
folder = tempfile.mkdtemp(prefix="pymp-")
(pathlib.Path(sys.argv[1]) / "used").write_text(folder)
os.kill(os.getpid(), 9)
"""


@pytest.fixture
def parent_of_all(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A temporary folder that the user chose, short enough for sockets."""
    folder = Path(tempfile.mkdtemp(prefix="rt"))
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)  # What is remembered of the environment.
    yield folder
    shutil.rmtree(folder)


def abandoned(parent: Path, machine: str | None = None) -> Path:
    """As a killed supervisor leaves it."""
    made = Temporary()
    assert made.folder is not None and made.folder.parent == parent
    kept = made.folder.rename(parent / "kept")
    made.remove()
    folder = kept.rename(parent / f"{PREFIX}abcd_123")
    if machine is not None:
        (folder / MARK).write_text(machine)
    return folder


def test_it_is_made_where_the_user_wants_temporary_files(parent_of_all: Path) -> None:
    made = Temporary()
    environment = made.environment({})
    assert Path(environment["TMPDIR"]).parent == parent_of_all
    assert Path(environment["TORCHINDUCTOR_CACHE_DIR"]).parent == parent_of_all
    (Path(environment["TMPDIR"]) / "pymp-1").mkdir()
    made.remove()
    assert list(parent_of_all.iterdir()) == []


def test_where_compiled_code_is_kept_is_the_users_choice(parent_of_all: Path) -> None:
    made = Temporary()
    assert made.environment({"TORCHINDUCTOR_CACHE_DIR": "/kept"}).keys() == {"TMPDIR"}
    made.remove()


def test_what_a_killed_supervisor_left_is_removed_by_the_next(parent_of_all: Path) -> None:
    left = abandoned(parent_of_all)
    (left / "pymp-1").mkdir()
    Temporary().remove()
    assert not left.exists()


def test_what_is_in_use_stays(parent_of_all: Path) -> None:
    first, second = Temporary(), Temporary()
    assert first.folder is not None and first.folder.is_dir()
    first.remove()
    second.remove()


@pytest.mark.skipif(os.uname().sysname != "Linux", reason="another machine is told by its boot id")
def test_what_another_machine_may_use_stays(parent_of_all: Path) -> None:
    left = abandoned(parent_of_all, "node07 0b0a")
    Temporary().remove()
    assert left.is_dir()


def test_what_is_only_called_alike_stays(parent_of_all: Path) -> None:
    alike = parent_of_all / f"{PREFIX}pictures"
    alike.mkdir()
    (alike / "photo.png").touch()
    Temporary().remove()
    assert (alike / "photo.png").exists()


def test_a_link_is_not_followed(parent_of_all: Path, tmp_path: Path) -> None:
    left = abandoned(parent_of_all)
    target = left.rename(tmp_path / "target")
    left.symlink_to(target)
    Temporary().remove()
    assert (target / MARK).exists()


def test_without_room_for_the_path_of_a_socket_it_is_the_systems(
    parent_of_all: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = parent_of_all / ("d" * 90)
    deep.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    made = Temporary()
    assert made.environment({}) == {}
    assert list(deep.iterdir()) == []


def test_where_nothing_can_be_written_it_is_the_systems(
    parent_of_all: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(parent_of_all / "missing"))
    made = Temporary()
    assert made.environment({}) == {}
    made.remove()


def test_the_lock_is_held_until_it_is_removed(parent_of_all: Path) -> None:
    made = Temporary()
    assert made.folder is not None
    other = os.open(made.folder, os.O_RDONLY)
    with pytest.raises(BlockingIOError):
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    made.remove()
    fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(other)


def test_a_rank_that_is_killed_leaves_nothing(parent_of_all: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.run.one_attempt", str(tmp_path), LEAVES_A_FOLDER]
    answer = subprocess.run(command, cwd=REPOSITORY, stdout=subprocess.PIPE, check=True)
    assert "SIGKILL" in json.loads(answer.stdout)["reason"]
    used = Path((tmp_path / "used").read_text())
    assert used.parent.parent == parent_of_all
    assert list(parent_of_all.iterdir()) == []


@pytest.mark.skipif(os.uname().sysname != "Linux", reason="ranks die with it at once on Linux")
def test_a_supervisor_that_is_killed_leaves_what_the_next_removes(
    parent_of_all: Path, parent: Path, squares: Path
) -> None:
    made = make_experiment(parent, squares, workers=2, epochs=200)
    start_supervisor(made)
    eventually(lambda: has_trained(made, "01-single"))
    supervisor = rank_of(made).parent()
    assert supervisor is not None
    supervisor.send_signal(signal.SIGKILL)
    eventually(lambda: not processes(made.directory))
    eventually(lambda: not is_held(made.directory / layout.LOCK))
    (left,) = parent_of_all.glob(f"{PREFIX}*")
    # Loader workers meet in there; were it empty, this would tell nothing.
    assert list(left.glob("pymp-*"))

    control.retry(made)
    eventually(lambda: has_trained(made, "01-single", 2))
    assert not left.exists()
    control.stop(made, firmly=True)
    assert control.wait(made, 60.0) == "stopped"
    # Compiled code is kept.
    assert {each.name.partition("_")[0] for each in parent_of_all.iterdir()} <= {"torchinductor"}
