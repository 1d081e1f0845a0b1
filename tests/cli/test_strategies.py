"""Strategies on the command line: refused before anything is started, or told for what they are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine.errors import ConfigFileError
from engine.lookup import known
from engine.plan.userfiles import of_user
from tests.cli.conftest import TINY, call
from tests.plan.machines import CPU
from tui.cli import main
from tui.commands import doctor
from tui.start import Start, open_dashboard


@pytest.fixture(autouse=True)
def one_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """torch is asked once for all tests of this file."""
    cache = tmp_path_factory.getbasetemp() / "cache-of-strategies"
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))


def refused(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    """The sentence of exit code 2; nothing was made."""
    assert main([str(each) for each in arguments]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert not list(Path(os.environ["RESNET_TUI_EXPERIMENTS"]).glob("*"))
    (line,) = told.err.splitlines()
    return line


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (("--strategy", "single", "--sync-bn"), "choose ddp or fsdp"),
        (("--strategy", "single", "--num-gpus", "2"), "processes (--nproc) means nothing to"),
        (("--strategy", "amp", "--compile", "--gradient-checkpointing"), "leave --compile out"),
        (("--strategy", "single", "--precision", "bf16"), "choose amp"),
        (("--strategy", "nothing"), "choose from single, amp"),
    ],
)
def test_what_cannot_be_combined_needs_no_look_at_the_machine(
    squares: Path, capsys: pytest.CaptureFixture[str], flags: tuple[str, ...], sentence: str
) -> None:
    assert sentence in refused(capsys, "train", squares, *flags, *TINY)


def test_what_this_machine_cannot_run_is_refused(
    squares: Path, parent: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # On the CPU this holds on every machine.
    told = refused(capsys, "train", squares, "--strategy", "single,dp", *TINY)
    assert "dp cannot run here: DataParallel needs 2 GPUs; ddp trains" in told
    assert "TF32 needs" in refused(capsys, "train", squares, "--precision", "tf32", *TINY)


def test_a_strategy_that_gains_nothing_here_is_told_and_planned(
    squares: Path, parent: Path
) -> None:
    answer = call(
        # Named at once or one by one.
        *("train", squares, "--strategy", "checkpointing", "--strategy=gpipe", "--stages", "3"),
        *("--micro-batches", "4", "--epochs", "1000", "--backup-epochs", "0", *TINY, "--detach"),
    )
    assert answer.returncode == 0, answer.stderr
    assert "gpipe is functional only: on a CPU the stages take turns" in answer.stderr
    (experiment,) = known(parent)
    first, second = experiment.plan.runs
    assert (first.strategy.name, first.settings.stages) == ("gradient-checkpointing", None)
    assert (second.settings.stages, second.settings.micro_batches) == (3, 4)
    assert {run.settings.device for run in experiment.plan.runs} == {"cpu"}
    assert call("stop", "--now").returncode == 0


def test_a_strategy_of_the_users_own(squares: Path, parent: Path) -> None:
    of_user().parent.mkdir(parents=True)
    of_user().write_text(
        "[training]\nepochs = 1\n"
        "[strategies.halved]\nbase = 'amp'\nprecision = 'bf16'\naccumulate = 2\n"
        "[strategies.lost]\nparallelism = 'pipeline'\nbalance = [1, 2]\n"
    )
    told = dict(doctor.strategies(CPU))
    assert told["halved"] == "available"
    assert told["lost"].startswith("unavailable: ") and "add up to 20" in told["lost"]

    answer = call("train", squares, "--strategy", "halved", *TINY)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "halved  done" in answer.stdout
    (run,) = known(parent)[0].plan.runs
    assert (run.settings.accumulate, run.settings.epochs) == (2, 1)


def test_a_file_that_cannot_be_used_is_named(
    squares: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    of_user().parent.mkdir(parents=True)
    of_user().write_text("[strategies.amp]\nprecision = 'fp16'\n")
    told = refused(capsys, "train", squares, "--strategy", "mine", *TINY)
    assert str(of_user()) in told and "choose another name" in told
    shown = dict(doctor.strategies(CPU))
    assert "choose another name" in shown["problem"]
    assert shown["single"] == "available"


def test_the_dashboard_does_not_open_with_such_a_file(tmp_path: Path) -> None:
    of_user().parent.mkdir(parents=True)
    of_user().write_text("[strategies.mine]\nprecision = 'fp8'\n")
    with pytest.raises(ConfigFileError, match="'mine': precision"):
        open_dashboard(Start(experiments_directory=tmp_path))
