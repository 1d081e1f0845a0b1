"""One experiment from ``train``, seen through every command."""

from __future__ import annotations

import csv

from engine.experiment import open_directory
from engine.report.columns import COLUMNS
from tests.cli.conftest import Finished, call
from tests.run.making import processes


def test_train_tells_what_happens_and_ends_in_a_table(finished: Finished) -> None:
    answer = finished.answer
    assert answer.returncode == 0, answer.stderr
    # 32 images in batches of 8, twice.
    assert answer.stderr == (
        "resnet-tui: lr 0.05: warm-up 0.2 epochs from 0.005, cosine to 0 over 2 epochs, 8 steps\n"
    )
    lines = answer.stdout.splitlines()
    told = iter(lines)
    # In this order, with other lines in between.
    for part in (
        "single  importing torch",
        "single  resnet18, 2 classes, 32 + 16 images",
        "single  epoch 1/2   loss ",
        "single  epoch 2/2   loss ",
        "single  done",
        "amp     importing torch",
        "amp     epoch 2/2   loss ",
        "amp     done",
        "strategy  state  per batch",
        "single    done   ",
        "amp       done   ",
        "best ",
        "undecided: ",
        "held constant: ",
    ):
        assert any(part in line for line in told), f"no {part!r} in its place:\n{answer.stdout}"
    epoch = next(line for line in lines if "epoch 1/2" in line)
    assert all(word in epoch for word in ("val loss", "top-1", "images/s", "waiting for data"))
    assert not any(line.endswith(" ") or "\x1b" in line for line in lines)


def test_no_process_is_left(finished: Finished) -> None:
    assert processes(finished.directory) == []


def test_the_table_is_written(finished: Finished) -> None:
    with finished.csv.open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == [column.name for column in COLUMNS]
    assert [(row["name"], row["state"], row["epochs"]) for row in rows] == [
        ("single", "done", "2"),
        ("amp", "done", "2"),
    ]
    for row in rows:
        assert 0.0 <= float(row["top1"]) <= float(row["best_top1"]) <= 1.0
        assert float(row["images_per_second"]) > 0
        assert int(row["peak_memory"]) > 100 << 20


def test_list(finished: Finished) -> None:
    answer = call("list", "--experiments-dir", finished.parent)
    assert answer.returncode == 0
    (row,) = [line for line in answer.stdout.splitlines() if finished.directory.name in line]
    assert all(word in row for word in ("done", "squares", "single, amp", " %"))


def test_status_is_one_line(finished: Finished) -> None:
    answer = call("status", "--experiments-dir", finished.parent)
    (line,) = answer.stdout.splitlines()
    assert line.startswith(f"{finished.directory.name} done: best top-1 ")


def test_attach_tells_everything_again(finished: Finished) -> None:
    answer = call("attach", finished.directory.name[:12], "--experiments-dir", finished.parent)
    assert answer.returncode == 0
    assert answer.stdout == finished.answer.stdout.replace(f"table: {finished.csv}\n", "")


def test_there_is_nothing_to_stop_or_retry(finished: Finished) -> None:
    for command, sentence in (("stop", "is not running but done"), ("retry", "nothing of")):
        answer = call(command, finished.directory)
        assert answer.returncode == 2
        assert answer.stdout == ""
        assert sentence in answer.stderr
        assert len(answer.stderr.splitlines()) == 1


def test_the_summary_has_what_a_list_needs(finished: Finished) -> None:
    summary = open_directory(finished.directory).summary()
    assert summary is not None
    assert summary.state == "done"
    for run in summary.runs:
        assert (run.state, run.epoch, run.epochs) == ("done", 1, 2)
        assert run.best_top1 is not None
