"""Results by class on the command line: two files, and the last lines of a training."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from msgspec import structs

from engine.experiment import Experiment
from engine.journal import layout
from engine.journal.files import Appender
from engine.journal.reader import JournalReader
from tests.cli.conftest import Finished
from tests.journal.judging import judged
from tests.journal.writing import Shape, write_experiment
from tui.cli import main
from tui.commands.classes import at_the_end
from tui.commands.stream import plain

NAMES = ("ant", "bee", "cat")


def written(place: Path, matrix: list[list[int]] | None, names: tuple[str, ...]) -> Experiment:
    shape = Shape(total_steps=20, steps_per_epoch=10, classes=names)
    made = write_experiment(place, place / "zoo", strategies=("single", "amp"), shape=shape)
    for number, run in enumerate(("01-single", "02-amp") if matrix else ()):
        # The second one is told better.
        better = [[n + 9 * number * (t == s) for s, n in enumerate(row)]
                  for t, row in enumerate(matrix or [])]  # fmt: skip
        appender = Appender(layout.rank_journal(made.directory, run, 1, 0))
        appender.append(judged(better, epoch=1, step=20))
        appender.close()
    return made


@pytest.fixture
def zoo(tmp_path: Path, private_home: Path) -> Experiment:
    return written(tmp_path / "e", [[8, 2, 0], [1, 3, 0], [0, 6, 0]], NAMES)


def test_both_files_are_written_once(
    zoo: Experiment, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    classes, confusion = tmp_path / "classes.csv", tmp_path / "confusion.csv"
    flags = ["--classes", str(classes), "--confusion", str(confusion)]
    assert main(["export", str(zoo.directory), *flags]) == 0
    assert capsys.readouterr().out == f"classes: {classes}\nconfusion: {confusion}\n"
    frame = pd.read_csv(classes)
    assert frame["run"].tolist() == ["01-single"] * 3 + ["02-amp"] * 3
    assert frame["class"].tolist() == [*NAMES, *NAMES]
    assert frame["recall"].tolist()[:3] == [0.8, 0.75, 0.0]
    assert pd.read_csv(confusion)["count"].tolist()[:5] == [8, 2, 1, 3, 6]
    assert main(["export", str(zoo.directory), *flags]) == 2
    assert "classes.csv exists, and 1 more; --force" in capsys.readouterr().err
    assert main(["export", str(zoo.directory), *flags, "--force"]) == 0
    same = ["--classes", str(classes), "--confusion", str(classes), "--force"]
    assert main(["export", str(zoo.directory), *same]) == 2
    assert main(["export", str(zoo.directory), "--classes", ""]) == 2


def test_without_a_validation_the_file_has_no_rows(
    tmp_path: Path, private_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = written(tmp_path / "e", None, NAMES)
    path = tmp_path / "classes.csv"
    assert main(["export", str(made.directory), "--classes", str(path)]) == 0
    assert "no run has told of its classes yet" in capsys.readouterr().out
    assert len(pd.read_csv(path)) == 0
    assert at_the_end(JournalReader(made.directory).read_all(), 80) == []


def test_the_end_of_a_training_tells_the_best_run_s_classes(zoo: Experiment) -> None:
    assert at_the_end(JournalReader(zoo.directory).read_all(), 80) == [
        "",
        "classes of amp, the best validation, after epoch 2: 47 images in 3 classes; "
        "rows by what they were taken for:",
        "            1   2   3",
        "    1  ant 17█  2░  ·",
        "    2  bee  1░ 12█  ·",
        "    3  cat  ·   6▒  9▓",
        "top-1 80.9 %, balanced accuracy 80.6 %, macro F1 79.9 %",
    ]


def test_of_many_classes_the_worst_are_told(tmp_path: Path, private_home: Path) -> None:
    matrix = [[(8 if t == s else 0) + (t if s == 0 else 0) for s in range(12)] for t in range(12)]
    made = written(tmp_path, matrix, tuple(f"n{place:02d}" for place in range(12)))
    lines = at_the_end(JournalReader(made.directory).read_all(), 80)
    assert len(lines) == 2 + 5 + 1
    assert lines[2] == "    n11: 60.7 % of 28 images (42.4 to 76.4 %), taken for n00 11 times"


def test_a_stream_has_plain_numbers() -> None:
    told = plain(judged([[8, 2], [0, 3]], [9, 3]))
    assert (told["true"], told["said"], told["count"]) == ([0, 0, 1], [0, 1, 1], [8, 2, 3])
    assert told["top5"] == [9, 3]
    assert plain(structs.replace(judged([[1]]), true=b"12345"))["true"] == [0x34333231]


def test_a_real_training_ends_with_them(finished: Finished, tmp_path: Path) -> None:
    assert "classes of " in finished.answer.stdout
    path = tmp_path / "classes.csv"
    assert main(["export", str(finished.directory), "--classes", str(path)]) == 0
    frame = pd.read_csv(path)
    table = pd.read_csv(finished.csv).set_index("name")
    for strategy, told in frame.groupby("strategy"):
        hits = (told["top1"] * told["images"]).sum() / told["images"].sum()
        assert hits == pytest.approx(table["best_top1"][strategy])
