from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.run import torchrun

ENDS = """
import sys
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError, ProcessFailure
failures = {r: ProcessFailure(r, 100 + r, c, "none") for r, c in ((2, -9), (0, 1))}
print(ChildFailedError("engine.train", failures))
from torch.distributed.elastic.multiprocessing.api import SignalException
import signal
try:
    from torch.distributed.elastic.multiprocessing.api import _terminate_process_handler
    _terminate_process_handler(15, None)
except SignalException as error:
    print(f"SignalException: {error}")
import os
os.environ["TORCHELASTIC_ERROR_FILE"] = sys.argv[1]
from torch.distributed.elastic.multiprocessing.errors import get_error_handler
try:
    raise ValueError("two\\nlines")
except ValueError as error:
    get_error_handler().record_exception(error)
"""


def test_what_this_torch_writes_is_understood(tmp_path: Path) -> None:
    """Its report, its signals and its error files."""
    place = tmp_path / "torchrun" / "id_x" / "attempt_0" / "1" / "error.json"
    place.parent.mkdir(parents=True)
    code = [sys.executable, "-c", ENDS, str(place)]
    log = subprocess.run(code, capture_output=True, text=True, check=True, timeout=60).stdout
    assert list(torchrun.exit_codes(log).items()) == [(0, 1), (2, -9)]
    assert torchrun.was_told_to_end(log) == "SIGTERM"
    errors = torchrun.rank_errors(tmp_path)
    assert list(errors) == [1]
    assert errors[1].message == "ValueError: two\nlines"
    assert errors[1].traceback.startswith("Traceback")
    assert errors[1].t == place.stat().st_mtime


def test_another_log_says_nothing() -> None:
    assert torchrun.exit_codes("rank 1 exitcode -9\n") == {}
    assert torchrun.was_told_to_end("W1121 ... Sending process 7 closing signal SIGTERM") == ""


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "null", '{"message": 3}', '{"message": ""}', '{"message": {"message": []}}'],
)
def test_a_damaged_error_file_is_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "error.json").write_text(content)
    assert torchrun.read_error(tmp_path / "error.json") is None
    assert torchrun.read_error(tmp_path / "other.json") is None


def test_error_files_of_other_shapes(tmp_path: Path) -> None:
    file = tmp_path / "error.json"
    file.write_text(json.dumps({"message": "Signal 9", "timestamp": 1}))
    told = torchrun.read_error(file)
    assert told is not None
    assert told.message == "Signal 9"
    file.write_text(json.dumps({"message": {"message": "WrongInput: no such folder"}}))
    told = torchrun.read_error(file)
    assert told is not None
    assert (told.message, told.traceback, told.exit_code) == ("no such folder", "", 2)


def test_without_its_script_the_module_is_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = tmp_path / "python"
    monkeypatch.setattr(sys, "executable", str(python))
    assert torchrun.command(2, "x")[:4] == (str(python), "-P", "-m", "torch.distributed.run")
    script = tmp_path / "torchrun"
    script.touch(0o755)
    command = torchrun.command(3, "-m", "x", "fit")
    assert command[0] == str(script)
    assert os.access(script, os.X_OK)
    assert "--nproc-per-node=3" in command
    assert command[-3:] == ("-m", "x", "fit")
