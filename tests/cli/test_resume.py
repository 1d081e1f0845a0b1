"""``resnet-tui resume`` and ``save``: what they refuse, and what they say before they begin."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.experiment import Experiment, open_directory
from engine.run import disk, resume
from tests.cli.conftest import TINY, Finished
from tests.journal.saving import save
from tests.run.making import make_experiment
from tui import cli


@pytest.fixture
def stopped(parent: Path, squares: Path) -> Experiment:
    """An experiment whose supervisor is gone: one run has a checkpoint, the other has none."""
    made = make_experiment(parent, squares, "single", "amp", epochs=9)
    (made.directory / "summary.json").write_text(
        '{"state":"stopped","host":"h","boot":"b","pid":1,"updated":1}'
    )
    save(made.directory / "01-single", 12)
    return made


def refused(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    assert cli.main([*map(str, arguments)]) == 2
    return capsys.readouterr().err.strip()


def test_what_would_be_another_training_is_refused(
    stopped: Experiment, capsys: pytest.CaptureFixture[str]
) -> None:
    for flag, value in (("--lr", "0.5"), ("--batch-size", "4"), ("--recipe", "finetune")):
        said = refused(capsys, "resume", stopped.name, flag, value)
        assert f"({flag}) of 01-single" in said
        assert "that is another training" in said
        assert "--weights CHECKPOINT" in said
    assert "name one with --strategy" in refused(
        capsys, "resume", stopped.name, "--strategy", "ddp,amp"
    )
    assert "there is no strategy 'magic'" in refused(
        capsys, "resume", stopped.name, "--strategy", "magic"
    )
    assert "has no run '07-x'; it has 01-single, 02-amp" in refused(
        capsys, "resume", stopped.name, "--run", "07-x"
    )
    said = refused(capsys, "resume", stopped.name, "--run", "01-single", "--strategy", "dp")
    assert "dp cannot run here" in said


def test_where_runs_go_on_and_what_is_lost_is_said_first(
    stopped: Experiment, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, ...]] = []

    def start(made: Experiment, again: tuple[str, ...], *, resume: bool) -> int:
        assert resume
        asked.append((again[0], made.plan.runs[0].strategy.name))
        return 1

    monkeypatch.setattr(resume, "start_supervisor", start)
    one = ("resume", stopped.name, "--run", "01-single", "--detach")
    assert cli.main([*one, "--workers", "1"]) == 0
    assert capsys.readouterr().out.splitlines()[0] == "01-single: goes on from step 12"
    assert cli.main([*one, "--strategy", "ddp", "--nproc", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "01-single: goes on from step 12"
    assert lines[1].startswith("  as ddp; not kept: sums are added up in another order")
    assert asked == [("01-single", "single"), ("01-single", "ddp")]


def test_what_was_given_before_stands_and_is_said(
    stopped: Experiment, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resume, "start_supervisor", lambda *_, **__: 1)
    one = ("resume", stopped.name, "--run", "01-single", "--detach")
    assert cli.main([*one, "--strategy", "ddp", "--nproc", "2", "--save-steps", "5"]) == 0
    capsys.readouterr()
    assert cli.main([*one]) == 0
    lines = capsys.readouterr().out.splitlines()
    before = "  as when it went on before: --strategy ddp, "
    assert lines[1] == before + "--nproc 2, --save-steps 5"
    assert cli.main([*one, "--nproc", "3"]) == 0
    assert before + "--save-steps 5" in capsys.readouterr().out.splitlines()
    (plan,) = open_directory(stopped.directory).plan.runs[:1]
    assert (plan.strategy.name, plan.settings.nproc, plan.settings.save_steps) == ("ddp", 3, 5)


def test_why_a_run_with_checkpoints_begins_at_its_beginning(
    stopped: Experiment, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resume, "start_supervisor", lambda *_, **__: 1)
    (stopped.directory / "01-single" / "checkpoints" / "last.pt").write_bytes(b"not one")
    assert cli.main(["resume", stopped.name, "--detach"]) == 0
    first, second, *_ = capsys.readouterr().out.splitlines()
    assert first.startswith("01-single: begins at its beginning, for no checkpoint of it can be")
    assert second == "02-amp: begins at its beginning"


def test_the_disk_is_asked_before_anything_starts(
    stopped: Experiment,
    squares: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(disk, "free_bytes", lambda _: 300 << 20)
    for arguments in (("train", squares, *TINY), ("resume", stopped.name)):
        said = refused(capsys, *arguments)
        assert "the checkpoints will take up to " in said
        assert "has 300 MiB free; " in said
        assert "--experiments-dir names another disk" in said
    assert list(stopped.directory.parent.iterdir()) == [stopped.directory], "nothing was made"


def test_of_what_is_done_nothing_goes_on(
    finished: Finished, capsys: pytest.CaptureFixture[str]
) -> None:
    said = refused(capsys, "resume", finished.directory)
    assert said.endswith("failed or was stopped")
    assert "is not running but done" in refused(capsys, "save", finished.directory)
