"""The probe and its memory, and what would end a detached supervisor."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from engine.run import detached, host, spawn
from tests.run.making import make_experiment

ANSWER = '{"torch":"9.9","cores":99,"devices":[{"kind":"cuda","index":0,"name":"a GPU"}]}'


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A probe that answers like a machine with a GPU, and a file that counts its calls."""
    count = tmp_path / "asked"
    script = f"echo x >> '{count}'; echo warming up; echo '{ANSWER}'"
    monkeypatch.setattr(host, "python", lambda *_: ("sh", "-c", script))
    return count


def calls(count: Path) -> int:
    return len(count.read_text().split())


def test_the_probe_is_asked_once(asked: Path) -> None:
    machine = host.probe()
    assert (machine.torch, machine.best, machine.devices[0].name) == ("9.9", "cuda", "a GPU")
    assert machine.cores == host.cores() != 99
    assert host.probe() == machine
    assert calls(asked) == 1
    host.probe(refresh=True)
    assert calls(asked) == 2


def test_the_probe_is_asked_again_when_the_gpus_may_be_others(
    asked: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    host.probe()
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    host.probe()
    assert calls(asked) == 2


def test_a_probe_that_breaks_is_a_problem_and_not_remembered(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    script = f"echo x >> '{tmp_path / 'asked'}'; echo 'ImportError: libcuda' >&2; exit 1"
    monkeypatch.setattr(host, "python", lambda *_: ("sh", "-c", script))
    assert host.probe().problem.endswith("ImportError: libcuda")
    host.probe()
    assert calls(tmp_path / "asked") == 2
    monkeypatch.setattr(host, "python", lambda *_: ("/no/such/program",))
    assert "cannot be run" in host.probe().problem


def test_busyness_is_of_this_machine() -> None:
    busy = host.busyness()
    assert 1 <= busy.cores <= (os.cpu_count() or 1)
    assert 0 < busy.memory_available <= busy.memory_total
    assert busy.load >= 0.0


def fake_systemd_run(directory: Path, body: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = directory / "systemd-run"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{directory}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(directory))
    for name in ("SLURM_JOB_ID", "PBS_JOBID", "LSB_JOBID"):
        monkeypatch.delenv(name, raising=False)


def test_a_scope_is_used_where_it_works(
    tmp_path: Path, parent: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    used = tmp_path / "used"
    body = f'echo "$@" >> {used}\nwhile [ "${{1#--}}" != "$1" ]; do shift; done\nexec "$@"'
    fake_systemd_run(tmp_path, body, monkeypatch)
    made = make_experiment(parent, tmp_path / "gone")
    pid = spawn.start_supervisor(made)
    tried, started = used.read_text().splitlines()
    assert tried.endswith("true")
    assert "--user --scope" in started
    assert str(made.directory) in started
    assert pid > 0
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    assert not detached.can_leave_login()
    assert any("Slurm" in risk for risk in detached.risks())


def test_a_scope_is_not_used_where_it_does_not_work(
    tmp_path: Path, parent: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_systemd_run(tmp_path, "echo 'Failed to connect to bus' >&2; exit 1", monkeypatch)
    assert not detached.can_leave_login()
    assert spawn.start_supervisor(make_experiment(parent, tmp_path / "gone")) > 0


def test_logind_is_asked_as_it_reads_its_files(tmp_path: Path) -> None:
    assert not detached.logout_kills(tmp_path)
    main = tmp_path / "etc/systemd/logind.conf"
    main.parent.mkdir(parents=True)
    main.write_text("[Login]\n#KillUserProcesses=yes\n")
    assert not detached.logout_kills(tmp_path)
    main.write_text("[Login]\nKillUserProcesses=yes\n")
    assert detached.logout_kills(tmp_path)
    later = tmp_path / "etc/systemd/logind.conf.d/50-site.conf"
    later.parent.mkdir()
    later.write_text("[Login]\nKillUserProcesses = no\n")
    assert not detached.logout_kills(tmp_path)
