"""What cannot be trained on is told in one sentence, with a remedy, and ends with exit code 2."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.errors import EXIT_WRONG_INPUT, DatasetError
from engine.plan.dataset import load
from engine.plan.inspection import inspect
from tests.plan.making import classes, image, tiny_imagenet


def refusal(folder: Path) -> str:
    """The sentence with which ``load`` and ``inspect`` both refuse a folder."""
    with pytest.raises(DatasetError) as refused:
        load(folder, 0.2, 0)
    with pytest.raises(DatasetError) as also:
        list(inspect(folder, 0.2, 0))
    sentence = str(refused.value)
    assert str(also.value) == sentence
    assert refused.value.exit_code == EXIT_WRONG_INPUT
    assert "\n" not in sentence
    return sentence


def no_such_folder(root: Path) -> Path:
    return root / "gone"


def a_file(root: Path) -> Path:
    image(root / "cat.png")
    return root / "cat.png"


def an_archive(root: Path) -> Path:
    (root / "photos.zip").write_bytes(b"PK")
    return root / "photos.zip"


def below_a_file(root: Path) -> Path:
    return a_file(root) / "train"


def empty(root: Path) -> Path:
    return root


def only_texts(root: Path) -> Path:
    (root / "a.npy").write_bytes(b"x")
    (root / "b.txt").write_bytes(b"x")
    (root / "Makefile").write_bytes(b"x")
    return root


def empty_folders(root: Path) -> Path:
    return classes(root, cat=0, dog=0)


def flat(root: Path) -> Path:
    image(root / "one.png")
    image(root / "two.png")
    return root


def flat_train(root: Path) -> Path:
    image(root / "train" / "one.png")
    return root


def one_class_of_a_dataset(root: Path) -> Path:
    classes(root / "birds" / "train", owl=2, emu=2)
    return root / "birds" / "train" / "owl"


def strange_class_in_val(root: Path) -> Path:
    classes(root / "train", cat=2, dog=2)
    classes(root / "val", cat=1, dog=1, emu=1)
    return root


def flat_val(root: Path) -> Path:
    classes(root / "train", cat=2, dog=2)
    image(root / "val" / "one.png")
    return root


def empty_val(root: Path) -> Path:
    classes(root / "train", cat=2, dog=2)
    (root / "val").mkdir()
    return root


def val_of_empty_classes(root: Path) -> Path:
    classes(root / "train", cat=2, dog=2)
    classes(root / "val", cat=0, dog=0)
    return root


def val_without_train(root: Path) -> Path:
    classes(root / "valid", cat=2, dog=2)
    return root


def one_class(root: Path) -> Path:
    return classes(root, cat=3)


def empty_class(root: Path) -> Path:
    return classes(root, cat=3, dog=0, emu=2)


def empty_class_of_train(root: Path) -> Path:
    classes(root / "train", cat=3, dog=0, emu=0)
    classes(root / "val", cat=3)
    return root


def one_image_each(root: Path) -> Path:
    return classes(root, cat=1, dog=1)


def deeper(root: Path) -> Path:
    classes(root / "images" / "train", cat=2, dog=2)
    (root / "docs").mkdir()
    return root


def several_deeper(root: Path) -> Path:
    classes(root / "v1", cat=2, dog=2)
    classes(root / "v2", cat=2, dog=2)
    return root


def strange_wnid(root: Path) -> Path:
    tiny_imagenet(root, ("n01", "n02"))
    with (root / "val" / "val_annotations.txt").open("a") as file:
        file.write("val_9.JPEG\tn09\t0\t0\t1\t1\n")
    return root


@pytest.mark.parametrize(
    ("make", "wrong", "remedy"),
    [
        (no_such_folder, "there is no folder ROOT/gone", "give the path of a folder of images"),
        (a_file, "ROOT/cat.png is a file, not a folder", "give the folder that holds it"),
        (an_archive, "ROOT/photos.zip is a file", "unpack it and give the folder"),
        (below_a_file, "there is no folder ROOT/cat.png/train", "give the path"),
        (empty, "there are no images in ROOT", "such as .jpg"),
        (only_texts, "no images in ROOT (found .npy, .txt, Makefile)", "such as .jpg"),
        (empty_folders, "there are no images in ROOT", "such as .jpg"),
        (flat, "ROOT holds 2 images but no class folders", "as ROOT/cat/one.png"),
        (flat_train, "ROOT/train holds 1 image but no class folders", "as ROOT/train/cat/one.png"),
        (one_class_of_a_dataset, "holds 2 images but no class", "choose ROOT/birds, or put"),
        (strange_class_in_val, "ROOT/val has a class that the training folder lacks: emu", "same"),
        (flat_val, "ROOT/val holds 1 image but no class folders", "a folder of its own"),
        (empty_val, "ROOT/val holds no images", "fill it, or remove it"),
        (val_of_empty_classes, "ROOT/val holds no images", "fill it, or remove it"),
        (val_without_train, "ROOT has a folder valid but none called train", "into ROOT/train"),
        (one_class, "ROOT has one class only (cat)", "training needs two or more"),
        (empty_class, "a class of ROOT has no images: dog", "add images or remove the folder"),
        (empty_class_of_train, "2 classes of ROOT/train have no images: dog, emu", "the folders"),
        (one_image_each, "ROOT has one image per class", "add images"),
        (deeper, "the folders in ROOT hold no images of their own", "choose ROOT/images"),
        (several_deeper, "the folders in ROOT hold no images of their own", "choose ROOT/v1"),
        (strange_wnid, "names 1 class(es) that the training folder lacks: n09", "unpack"),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_the_sentence(
    tmp_path: Path, make: Callable[[Path], Path], wrong: str, remedy: str
) -> None:
    sentence = refusal(make(tmp_path))

    assert wrong.replace("ROOT", str(tmp_path)) in sentence
    assert remedy.replace("ROOT", str(tmp_path)) in sentence.partition(";")[2]


def as_nobody(work: Callable[[], str]) -> str:
    """What ``work`` returns where it is done without root's rights to read everything."""
    if os.geteuid() != 0:
        return work()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        answer = ""
        try:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
            answer = work()
        finally:
            os.write(writing, pickle.dumps(answer))
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        answer = pickle.loads(pipe.read())
    os.waitpid(child, 0)
    assert isinstance(answer, str)
    return answer


@pytest.mark.parametrize("closed", ["", "cat", "train/dog"])
def test_no_permission(tmp_path: Path, closed: str) -> None:
    for parent in (tmp_path, *tmp_path.parents):
        if parent.stat().st_uid == os.getuid() and parent != Path("/"):
            parent.chmod(parent.stat().st_mode | 0o055)
        if parent.name.startswith("pytest-of"):
            break
    folder = tmp_path / "data"
    root = classes(folder / "train" if closed.startswith("train") else folder, cat=2, dog=2)
    place = folder / closed
    place.chmod(0)
    try:

        def work() -> str:
            try:
                load(folder, 0.2, 0)
            except DatasetError as error:
                return str(error)
            return "nothing was wrong"

        sentence = as_nobody(work)
    finally:
        place.chmod(0o755)

    assert sentence.startswith(f"no permission to read {place}; ")
    assert "chmod u+rx" in sentence
    assert root.is_dir()


def test_a_hostile_name_is_shown_harmlessly(tmp_path: Path) -> None:
    sentence = refusal(tmp_path / "evil\x1b]0;title\x07\n\u202e")

    assert "\x1b" not in sentence
    assert "\u202e" not in sentence
    assert "evil\N{REPLACEMENT CHARACTER}]0;title" in sentence
