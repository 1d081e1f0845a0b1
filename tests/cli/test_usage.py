"""What is told and returned before anything is started."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import COMMAND, call
from tui.cli import COMMANDS, main


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one sentence with which wrong input is refused."""
    assert main(arguments) == 2
    told = capsys.readouterr()
    assert told.out == ""
    (line,) = told.err.splitlines()
    assert line.startswith("resnet-tui: ")
    return line


def test_wrong_input_is_one_sentence_and_exit_code_2(
    tmp_path: Path, squares: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gone = str(tmp_path / "gone")
    assert gone in refused(capsys, "train", gone)
    assert "DATASET is empty" in refused(capsys, "train", "")
    assert "DATASET is empty" in refused(capsys, "inspect", "")
    assert "choose from single, amp" in refused(capsys, "train", str(squares), "--strategy", "x")
    assert "--epochs" in refused(capsys, "train", str(squares), "--epochs", "many")
    assert "at least 1" in refused(capsys, "train", str(squares), "--epochs", "0")
    assert "no experiment" in refused(capsys, "attach", "nothing")
    assert "no experiment" in refused(capsys, "stop")
    assert gone in refused(capsys, "inspect", gone)
    nowhere = str(tmp_path / "none" / "table.csv")
    assert nowhere in refused(capsys, "train", str(squares), "--csv", nowhere)
    assert str(tmp_path) in refused(capsys, "train", str(squares), "--csv", str(tmp_path))
    # Whoever the test runs as: nobody makes files here.
    assert "--csv" in refused(capsys, "train", str(squares), "--csv", "/proc/self/table.csv")
    assert not list(Path(os.environ["RESNET_TUI_EXPERIMENTS"]).glob("*"))


def test_a_table_is_not_touched_before_there_is_another(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "table.csv"
    table.write_text("of yesterday")
    refused(capsys, "train", str(tmp_path / "gone"), "--csv", str(table))
    refused(capsys, "train", str(tmp_path / "gone"), "--csv", str(tmp_path / "new.csv"))
    assert [each.read_text() for each in tmp_path.glob("*.csv")] == ["of yesterday"]


def test_a_folder_whose_name_is_no_utf8(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9")
    for name in ("train/a", "train/b", "val/a", "val/b"):
        Path(folder, name).mkdir(parents=True)
    assert "caf\ufffd" in refused(capsys, "train", folder)


def test_without_a_terminal_there_must_be_a_dataset() -> None:
    answer = call()
    assert answer.returncode == 2
    assert "no terminal" in answer.stderr


def test_a_folder_called_like_a_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "./train" in refused(capsys, "--mouse", "train")
    answer = call("./train", cwd=tmp_path)
    assert answer.returncode == 2
    assert "./train" in answer.stderr or str(tmp_path / "train") in answer.stderr


def test_help_names_every_command_and_every_command_has_help(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for arguments in ([], *([name] for name in COMMANDS)):
        with pytest.raises(SystemExit) as end:
            main([*arguments, "--help"])
        assert end.value.code == 0
        text = capsys.readouterr().out
        if not arguments:
            assert all(f"  {name} " in text for name in COMMANDS)
        else:
            assert text.startswith(f"usage: resnet-tui {arguments[0]} ")


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out.startswith("resnet-tui 0.")


@pytest.mark.parametrize("arguments", [["--help"], ["train", "--help"], ["--version"]])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys\nfrom tui.cli import main\n"
        "try: main(sys.argv[1:])\nexcept SystemExit: pass\n"
        "heavy = 'torch textual rich numpy psutil msgspec PIL plotext'.split()\n"
        "print([name for name in heavy if name in sys.modules], file=sys.stderr)"
    )
    command = [sys.executable, "-c", code, *arguments]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    assert answer.stderr.strip() == "[]"


def test_a_reader_that_goes_away_is_no_traceback(squares: Path) -> None:
    process = subprocess.Popen(
        [COMMAND, "inspect", str(squares)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.close()
    _, told = process.communicate(timeout=30)
    assert process.returncode == 1
    assert told == b""


def test_inspect(squares: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(squares)]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["classes", "2"] in lines
    assert ["blue", "16", "8"] in lines
    assert ["typical", "size", "32", "x", "32", "px"] in lines


def test_status_without_an_experiment(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status"]) == 0
    assert capsys.readouterr().out == "no experiment\n"


def test_doctor(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 0
    text = capsys.readouterr().out
    for word in ("Python", "torch", "cores", "/dev/shm", "accelerators", "outlives a logout"):
        assert word in text
    lines = [line.split() for line in text.splitlines()]
    assert ["single", "available"] in lines
    assert ["amp", "available"] in [line[:2] for line in lines]
