"""``export`` and ``compare`` on experiments of every condition, in this process."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from engine.experiment import Experiment
from engine.journal import layout
from engine.report.columns import COLUMNS
from tests.journal.writing import Shape, write_experiment
from tui.cli import main

NAMES = [column.name for column in COLUMNS]
SHAPE = Shape(total_steps=100, steps_per_epoch=50)


def made(place: Path, **more: object) -> Experiment:
    known = {"strategies": ("single", "amp"), "shape": SHAPE, "started": 1000.0}
    return write_experiment(place, place / "bees", **{**known, **more})  # type: ignore[arg-type]


@pytest.fixture
def one(tmp_path: Path, private_home: Path) -> Experiment:
    return made(tmp_path / "e")


def refused(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    assert main([str(each) for each in arguments]) == 2
    told = capsys.readouterr()
    (line,) = told.err.splitlines()
    return line


def test_a_file_by_its_ending_is_written_once(
    one: Experiment, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for ending in ("csv", "md", "json", "html"):
        path = tmp_path / f"t.{ending}"
        assert main(["export", str(one.directory), "--output", str(path)]) == 0
        assert capsys.readouterr().out == f"table: {path}\n"
        assert "exists; --force" in refused(capsys, "export", one.directory, "--output", path)
        assert main(["export", str(one.directory), "--output", str(path), "--force"]) == 0
        capsys.readouterr()
    frame = pd.read_csv(tmp_path / "t.csv")
    assert list(frame.columns) == NAMES
    assert frame["name"].tolist() == ["single", "amp"]
    assert frame["images_per_second"].tolist() == pytest.approx([640.0, 640.0])
    told = json.loads((tmp_path / "t.json").read_text())
    assert len(told["runs"][0]["epochs"]) == 2
    assert "<svg" in (tmp_path / "t.html").read_text("utf-8")


def test_standard_output_holds_the_table_alone(
    one: Experiment, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert main(["export", str(one.directory), "--output", "-", "--metrics"]) == 0
    told = capfdbinary.readouterr()
    assert told.out.startswith(b"experiment,name,")
    assert told.out.count(b"\r\n") == 3
    assert told.err.count(b"metrics: ") == 2


def test_choices_reach_the_table(
    one: Experiment, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "t.json"
    flags = ["--baseline", "amp", "--target-accuracy", "0.1", "--price", "2", "--view", "equal"]
    assert main(["export", str(one.directory), "--output", str(path), *flags]) == 0
    choices = json.loads(path.read_text())["choices"]
    assert choices["baseline"] == f"{one.name}/amp"
    assert (choices["target_accuracy"], choices["price"]) == (0.1, 2.0)
    assert choices["target_given"] is True
    capsys.readouterr()
    assert "--baseline can be single, amp" in refused(
        capsys, "export", one.directory, "--baseline", "x"
    )
    assert "--find-batch" in refused(capsys, "export", one.directory, "--view", "best")
    assert "--target-accuracy" in refused(capsys, "export", one.directory, "--target-accuracy", "2")


def test_event_files_and_arrays_of_every_run(
    one: Experiment, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["export", str(one.directory), "--tensorboard", str(tmp_path / "tb"), "--metrics"]
    assert main(arguments) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines] == ["events", "metrics"] * 2
    for line in lines:
        assert Path(line.split(": ")[1]).is_file()
    with np.load(one.directory / "02-amp" / "metrics.npz") as stored:
        assert stored["val_top1"].size == 2
    assert "exists, and 1 more; --force" in refused(capsys, *arguments)


def test_a_directory_that_was_renamed_to_anything_moves_no_cursor(
    one: Experiment, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nobody has to wait until it is certain that no supervisor comes up.
    monkeypatch.setattr("engine.experiment._STARTING", 0.0)
    parent = one.directory.parent
    path = one.directory.rename(parent / "[red]x[_nope]\x1b[31m\x07<b>")
    for arguments in (["status", str(path)], ["list", "--experiments-dir", str(parent)]):
        assert main(arguments) == 0
        told = capsys.readouterr()
        assert "[red]x[_nope]\ufffd[31m\ufffd<b>" in told.out
        assert "\x1b" not in told.out + told.err
    assert "\x1b" not in refused(capsys, "stop", path)


def test_a_run_that_is_only_starting_is_left_out(
    one: Experiment, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (journal,) = (each for each in layout.rank_journals(one.directory) if each.run == "02-amp")
    journal.path.unlink()
    arguments = ["export", str(one.directory), "--tensorboard", str(tmp_path / "tb"), "--metrics"]
    assert main(arguments) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert all("01-single" in line for line in lines)


def test_without_an_extra_there_is_still_a_sentence(
    one: Experiment,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    told = refused(capsys, "export", one.directory, "--plots", tmp_path / "p")
    assert "pip install 'resnet-tui[plots]'" in told
    assert not (tmp_path / "p").exists()


def test_what_cannot_be_written_is_a_sentence(
    one: Experiment, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "folder.csv").mkdir()
    for place, why in (
        (tmp_path / "folder.csv", "Is a directory"),
        ("/dev/full", "No space left"),
        (tmp_path / "none" / "t.csv", "No such file"),
        ("/proc/self/t.csv", "No such file"),
    ):
        told = refused(capsys, "export", one.directory, "--format", "csv", "--output", place)
        assert why in told
    assert "give --format" in refused(capsys, "export", one.directory, "--output", "t.xls")
    assert "--output is empty" in refused(capsys, "export", one.directory, "--output", "")
    assert "--plots is empty" in refused(capsys, "export", one.directory, "--plots", "")
    assert "no experiment" in refused(capsys, "export", "nothing")


def test_experiments_of_every_condition(
    tmp_path: Path, private_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    killed = made(tmp_path / "killed", state=None)
    plan = killed.directory / layout.PLAN
    plan.write_text(json.dumps({**json.loads(plan.read_text()), "created": 1000.0}))
    failed = made(tmp_path / "failed", state="failed", reason='=out of "memory"')
    alone = made(tmp_path / "alone", strategies=("single",))
    empty = made(tmp_path / "empty")
    for path in (*empty.directory.glob("*/attempt-*/*"), empty.directory / "supervisor.jsonl"):
        path.unlink()
    damaged = made(tmp_path / "damaged")
    journal = layout.rank_journal(damaged.directory, "02-amp", 1, 0)
    journal.write_bytes(b"\0" * 5000 + b"\n{}\n[1" + journal.read_bytes()[:3000])
    older = made(tmp_path / "older", strategies=("single",))
    plan = older.directory / layout.PLAN
    told = json.loads(plan.read_text())
    told["schema"] = 1
    for run in told["runs"]:
        run["strategy"].pop("precision")
        for name in ("nproc", "schedule", "recompute", "repeats", "find_batch"):
            run["settings"].pop(name)
    plan.write_text(json.dumps(told))
    for each in (killed, failed, alone, empty, damaged, older):
        for ending in ("csv", "md", "json", "html"):
            path = each.directory / f"t.{ending}"
            assert main(["export", str(each.directory), "--output", str(path)]) == 0
        frame = pd.read_csv(each.directory / "t.csv")
        assert frame["name"].tolist() == ["single", "amp"][: len(each.plan.runs)]
        assert main(["export", str(each.directory), "--metrics"]) == 0
    assert pd.read_csv(killed.directory / "t.csv")["state"].tolist() == ["done", "crashed"]
    assert pd.read_csv(failed.directory / "t.csv")["reason"][1] == '\'=out of "memory"'
    (plan.parent / layout.PLAN).write_text("{")
    capsys.readouterr()
    assert "damaged" in refused(capsys, "export", older.directory)


def slowed(place: Path, factor: float) -> Experiment:
    """Every event of a rank comes later, and what it took is longer."""
    experiment = made(place)
    for journal in experiment.directory.glob("*/attempt-1/rank0.jsonl"):
        lines = []
        for line in journal.read_text().splitlines():
            event = json.loads(line)
            if event["type"] == "epoch-ended":
                event["seconds"] *= factor
            lines.append(json.dumps(event))
        journal.write_text("\n".join(lines) + "\n")
    return experiment


def test_compare_prints_experiments_side_by_side(
    one: Experiment, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = slowed(tmp_path / "other", 1.25).directory.rename(tmp_path / "later")
    assert main(["compare", str(one.directory), str(other)]) == 0
    told = capsys.readouterr().out
    lines = told.splitlines()
    assert lines[1].startswith("A  ")
    assert lines[2].startswith("B  ")
    rows = [line for line in lines if line.startswith(("A ", "B ")) and "done" in line]
    assert [line.split("  ")[0] for line in rows] == ["A single", "A amp", "B single", "B amp"]
    assert "512" in rows[2]
    for name in ("later/amp", "B/amp"):
        there = ["compare", str(one.directory), str(other), "--baseline", name]
        assert main(there) == 0
        lines = capsys.readouterr().out.splitlines()
        assert [line.split("  ")[0] for line in lines if "baseline   " in line] == ["B amp"]
    path = tmp_path / "c.csv"
    both = ["compare", str(one.directory), str(other), "--output", str(path)]
    assert main(both) == 0
    frame = pd.read_csv(path)
    assert frame["experiment"].nunique() == 2
    assert frame["images_per_second"].tolist() == pytest.approx([640.0, 640.0, 512.0, 512.0])


@pytest.mark.parametrize("allowed", ["5%", "0.05", "5 %"])
def test_what_became_slower_is_exit_code_3(
    one: Experiment, tmp_path: Path, capsys: pytest.CaptureFixture[str], allowed: str
) -> None:
    other = slowed(tmp_path / "other", 1.25)
    there = ["compare", str(one.directory), str(other.directory), "--fail-if-slower", allowed]
    assert main(there) == 3
    told = capsys.readouterr().err
    assert "resnet-tui: single is 20.0 % slower in " in told
    assert "512 images/s after 640; with 1 repeat noise cannot be told" in told
    back = ["compare", str(other.directory), str(one.directory), "--fail-if-slower", allowed]
    assert main(back) == 0
    assert capsys.readouterr().out.endswith("nothing is slower by more than 5 %\n")


def test_what_cannot_be_compared_is_refused(
    one: Experiment, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for odd in ("5", "x", "-1%", "100%", "nan"):
        told = refused(capsys, "compare", one.directory, f"--fail-if-slower={odd}")
        assert "write it as 5% or 0.05" in told
    assert "needs two" in refused(capsys, "compare", one.directory, "--fail-if-slower", "5%")
    assert "named twice" in refused(capsys, "compare", one.directory, one.directory)
    other = made(tmp_path / "other", strategies=("gradient-checkpointing",))
    assert main(["compare", str(one.directory), str(other.directory), "--fail-if-slower=5%"]) == 2
    told = capsys.readouterr().err
    assert "gradient-checkpointing is not in" in told
    assert "nothing is compared" in told
