"""``predict`` and ``export --weights``, on what ``train`` left behind."""

from __future__ import annotations

import csv
import json
import os
import pickle
import re
import shutil
import subprocess
import textwrap
import zipfile
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch
from PIL import Image

from engine.journal.predictions import Guess, Judge
from engine.journal.reader import JournalReader
from engine.run.chosen_checkpoint import Chosen
from engine.train.checkpoint_reading import load
from tests.cli.conftest import TINY, Finished, call
from tui.cli import main
from tui.commands import checkpoints, predictions
from tui.commands.predictions import Line

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def answer(
    finished: Finished, squares: Path, tmp_path_factory: pytest.TempPathFactory
) -> subprocess.CompletedProcess[str]:
    """``predict`` of the validation images, and of one that is none."""
    damaged = tmp_path_factory.mktemp("damaged") / "cut\x1b]2;t\x07.png"
    shutil.copy(squares / "val" / "red" / "0.png", damaged)
    damaged.write_bytes(damaged.read_bytes()[:40])
    run = ("--run", "01-single", "--checkpoint", "last", "--device", "cpu")
    return call("predict", finished.directory, squares / "val", damaged, "--json", *run)


def test_as_many_are_right_as_were_validated(
    finished: Finished, answer: subprocess.CompletedProcess[str]
) -> None:
    assert answer.returncode == 0, answer.stderr
    lines = [json.loads(line) for line in answer.stdout.splitlines()]
    judged = [line for line in lines if "problem" not in line]
    assert len(judged) == 16
    right = sum(each["predictions"][0]["class"] == each["folder_class"] for each in judged)
    run = JournalReader(finished.directory).read_all().run("01-single")
    assert run is not None
    assert right / 16 == run.validations[-1].top1
    for each in judged:
        assert sum(guess["probability"] for guess in each["predictions"]) == pytest.approx(1.0)
        assert {guess["class"] for guess in each["predictions"]} == {"blue", "red"}
    told = answer.stderr.splitlines()
    assert told[0].startswith("last.pt of 01-single: resnet18, 2 classes, 32 px, epoch 2, on ")
    assert f"16 of known class: top-1 {right} (" in told[-1]


def test_a_damaged_image_is_a_line_with_the_reason(
    answer: subprocess.CompletedProcess[str],
) -> None:
    last = json.loads(answer.stdout.splitlines()[-1])
    assert last["predictions"] == []
    assert last["problem"]
    assert "1 of 17 cannot be read" in answer.stderr
    assert "\x1b" not in answer.stdout + answer.stderr


JUDGE = Judge(
    model="resnet18",
    classes=2,
    names=("ants", "=bees"),
    image_size=32,
    averaged=True,
    device="CPU",
    epoch=4,
    accuracy=0.75,
)
LINES = [
    Line("val/ants/1.png", "ants", (Guess(0, "ants", 0.75), Guess(1, "=bees", 0.25)), ""),
    Line("val/ants/2.png", "ants", (Guess(1, "=bees", 0.625), Guess(0, "ants", 0.375)), ""),
    Line("cut\x1b.png", None, (), "image file is truncated"),
]


def test_top_5_is_told_where_it_tells_something() -> None:
    guesses = tuple(Guess(place, name, 0.2) for place, name in enumerate("abcde"))
    lines = [Line(f"val/{name}/1.png", name, guesses, "") for name in "acef"]
    five, six = (msgspec.structs.replace(JUDGE, classes=classes) for classes in (5, 6))
    assert predictions.summary(lines, five) == "4 of known class: top-1 1 (25.0 %)"
    assert predictions.summary(lines, six) == (
        "4 of known class: top-1 1 (25.0 %), top-5 3 (75.0 %)"
    )


def test_a_table_has_a_row_per_image(capsys: pytest.CaptureFixture[str]) -> None:
    predictions.show_table(LINES, JUDGE)
    rows = [" ".join(row.split()) for row in capsys.readouterr().out.splitlines()]
    assert rows == [
        "image folder best guess 2",
        "val/ants/1.png ants ants 75.0 % =bees 25.0 %",
        "val/ants/2.png ants =bees 62.5 % ants 37.5 %",
        "cut\ufffd.png – unreadable: image file is truncated",
    ]
    assert predictions.summary(LINES, JUDGE) == (
        "2 of known class: top-1 1 (50.0 %); 1 of 3 cannot be read"
    )
    assert predictions.summary(LINES[:0], JUDGE) == ""
    chosen = Chosen(Path("/runs/best.pt"))
    assert checkpoints.told(chosen, JUDGE) == (
        "best.pt: resnet18, 2 classes, 32 px, epoch 4, 75.0 % right in validation, averaged weights"
    )


def test_what_a_file_of_weights_does_not_tell_is_said() -> None:
    assert predictions.unknown(JUDGE) == ""
    bare = msgspec.structs.replace(JUDGE, names=(), size_is_known=False)
    assert predictions.unknown(bare) == (
        "the file names no classes: they are shown by their numbers; the file does not say which "
        "size of images its network was trained with: 32 px are taken, --image-size N says another"
    )


def test_a_csv_has_a_row_per_image_and_runs_nothing(tmp_path: Path) -> None:
    target = tmp_path / "table.csv"
    predictions.write_csv(LINES, JUDGE, predictions.writable(str(target)))
    with target.open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    assert [row["class_1"] for row in rows] == ["ants", "'=bees", ""]
    assert [row["probability_2"] for row in rows] == ["0.25", "0.375", ""]
    assert rows[2]["problem"] == "image file is truncated"


def test_weights_are_written_for_others(finished: Finished, tmp_path: Path) -> None:
    path = tmp_path / "w.pt"
    told = call("export", finished.directory, "--weights", path, cwd=tmp_path)
    assert told.returncode == 0, told.stderr
    lines = told.stdout.splitlines()
    assert lines[0] == f"weights: {path}"
    assert lines[1].startswith("best.pt of 0")
    assert lines[2:] == [
        "    model = torchvision.models.resnet18(num_classes=2)",
        f"    model.load_state_dict(torch.load('{path}', weights_only=True))",
    ]
    assert zipfile.is_zipfile(path)
    again = call("export", finished.directory, "--weights", path)
    assert again.returncode == 2
    assert "--force writes over it" in again.stderr


def test_the_readmes_lines_give_the_same_shares(
    finished: Finished, squares: Path, tmp_path: Path
) -> None:
    weights, photo = tmp_path / "net.pt", tmp_path / "photo.png"
    assert call("export", finished.directory, "--weights", weights).returncode == 0
    with Image.open(squares / "val" / "red" / "0.png") as image:
        image.convert("RGB").resize((121, 90)).save(photo)
    judged = call("predict", finished.directory, photo, "--json", "--device", "cpu")
    told = {each["class"]: each["probability"] for each in json.loads(judged.stdout)["predictions"]}

    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    block = re.search(r"((?:^    .*\n|^\n)*)^    shares = .*\n", readme, re.MULTILINE)
    assert block is not None
    lines = textwrap.dedent(block.group()).replace("net.pt", str(weights))
    lines = lines.replace("photo.jpg", str(photo)).replace("224", "32").replace("256", "36.571428")
    names: dict[str, Any] = {}
    exec(lines, names)  # Ours, and what a user would run.
    classes = ("blue", "red")
    shares = dict(zip(classes, names["shares"][0].tolist(), strict=True))
    assert shares == pytest.approx(told, abs=1e-5)


def test_what_was_exported_is_judged_with_and_trained_on(
    finished: Finished, squares: Path, parent: Path, tmp_path: Path
) -> None:
    pytest.importorskip("safetensors", reason="the extra safetensors is missing")
    path = tmp_path / "w.safetensors"
    written = call("export", finished.directory, "--weights", path)
    assert written.returncode == 0, written.stderr
    judged = call("predict", path, squares / "val" / "red" / "0.png")
    assert judged.returncode == 0, judged.stderr
    assert judged.stdout.startswith("w.safetensors: resnet18, 2 classes, 32 px, epoch ")
    assert "the file" not in judged.stdout
    assert {"red", "blue"} < set(judged.stdout.split())

    words = ("--weights", path, "--freeze", "--epochs", "1", "--experiments-dir", parent)
    trained = call("train", squares, *TINY, *words)
    assert trained.returncode == 0, trained.stderr
    again = tmp_path / "again.safetensors"
    assert call("export", next(parent.iterdir()), "--weights", again).returncode == 0
    old, new = load(path)["state_dict"], load(again)["state_dict"]
    changed = {name for name in old if not torch.equal(old[name], new[name])}
    assert changed == {"fc.weight", "fc.bias"}


def test_a_hostile_checkpoint_is_a_sentence_and_nothing_is_run(
    squares: Path, tmp_path: Path
) -> None:
    mark = tmp_path / "mark"

    class Payload:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.system, (f"touch {mark}",)

    path = tmp_path / "hostile.pt"
    path.write_bytes(pickle.dumps({"state_dict": Payload()}))
    told = call("predict", path, squares / "val")
    assert told.returncode == 2
    (line,) = told.stderr.splitlines()
    assert line.startswith(f"resnet-tui: {path} is damaged, or holds more than tensors")
    assert told.stdout == ""
    assert not mark.exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["predict", "{here}", "{here}/none.png"], "does not exist; name an image"),
        (["predict", "{here}", "{here}"], "holds no images"),
        (["predict", "nothing", "{here}/x.png"], "no experiment"),
        (["predict", "{here}/x.png", "{here}/x.png", "--run", "a"], "a file was named"),
        (["predict", "{here}/x.png", "{here}/x.png", "--csv", ""], "--csv is empty"),
        (["predict", "{here}/x.png", "{here}/x.png", "--csv", "{here}/no/x"], "cannot be written"),
        (["export", "{here}/x.png", "--weights", ""], "--weights is empty"),
        (["export", "{here}/x.png", "--weights", "{here}/x.npy"], "no format of weights"),
        (["export", "{here}/x.png", "--weights", "{here}/no/x.pt"], "in a folder that exists"),
        (["export", "{here}/x.png", "--weights", "{here}/w.onnx"], "exists; --force"),
        (["export", "--run", "a"], "give --weights FILE"),
    ],
)
def test_wrong_input_is_told_before_anything_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    for name in ("here/x.png", "w.onnx"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    here = tmp_path if "x.png" in " ".join(words) else tmp_path / "here" / "empty"
    (tmp_path / "here" / "empty").mkdir()
    (tmp_path / "x.png").touch()
    assert main([word.format(here=here) for word in words]) == 2
    assert said in capsys.readouterr().err
