"""What ``load`` finds in folders that can be trained on."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine.plan.dataset import Dataset, Split, load
from tests.plan.making import classes, image, tiny_imagenet


def read(folder: Path) -> Dataset:
    return load(folder, val_fraction=0.2, seed=0)


def names(split: Split, folder: Path) -> list[tuple[str, int]]:
    """Each image's path inside the folder with its label."""
    pairs = zip(split.paths, split.labels, strict=True)
    return [(os.path.relpath(path, folder), label) for path, label in pairs]


@pytest.mark.parametrize("name", ["val", "valid", "validation", "test", "Val"])
def test_train_and_validation_folders(tmp_path: Path, name: str) -> None:
    classes(tmp_path / "train", bee=2, ant=1)
    classes(tmp_path / name, ant=1, bee=1)

    found = read(tmp_path)

    assert found.layout == "train and val folders"
    assert found.classes == ("ant", "bee")
    assert names(found.train, tmp_path) == [
        ("train/ant/000.png", 0),
        ("train/bee/000.png", 1),
        ("train/bee/001.png", 1),
    ]
    assert names(found.val, tmp_path) == [(f"{name}/ant/000.png", 0), (f"{name}/bee/000.png", 1)]
    assert not found.held_out
    assert found.ignored == 0
    assert found.notices == ()


def test_val_is_preferred_to_test_and_the_rest_is_named(tmp_path: Path) -> None:
    for part in ("train", "test", "val"):
        classes(tmp_path / part, a=1, b=1)

    found = read(tmp_path)

    assert found.val.paths[0] == str(tmp_path / "val" / "a" / "000.png")
    assert found.notices == ("not used: test",)


def test_a_test_folder_without_classes_does_not_validate(tmp_path: Path) -> None:
    classes(tmp_path / "train", a=5, b=5)
    image(tmp_path / "test" / "unlabelled.png")

    found = read(tmp_path)

    assert found.layout == "train folder alone"
    assert found.held_out
    assert len(found.val) == 2
    assert "test has no class folders, so it is not used for validation" in found.notices


def test_one_level_of_class_folders_holds_a_part_out(tmp_path: Path) -> None:
    classes(tmp_path, cat=10, dog=5, emu=1)

    found = read(tmp_path)

    assert found.layout == "one level of class folders"
    assert found.held_out
    assert [found.train.labels.count(label) for label in range(3)] == [8, 4, 1]
    assert [found.val.labels.count(label) for label in range(3)] == [2, 1, 0]
    assert not set(found.train.paths) & set(found.val.paths)
    assert found.notices == ("no validation images for emu",)


def test_moving_a_folder_moves_no_image_to_the_other_side(tmp_path: Path) -> None:
    first = classes(tmp_path / "first", cat=20, dog=20)
    before = names(read(first).val, first)

    second = first.rename(tmp_path / "second")

    assert names(read(second).val, second) == before


def test_tiny_imagenet_as_it_is_unpacked(tmp_path: Path) -> None:
    wnids = ("n03126707", "n01443537", "n02012849")
    tiny_imagenet(tmp_path, wnids)

    found = read(tmp_path)

    assert found.layout == "Tiny ImageNet"
    # In the order of the wnids; two classes called crane are told apart.
    assert found.classes == ("goldfish", "crane", "crane (n03126707)")
    assert [found.train.labels.count(label) for label in range(3)] == [3, 3, 3]
    assert names(found.val, tmp_path) == [
        ("val/images/val_1.JPEG", 0),
        ("val/images/val_4.JPEG", 0),
        ("val/images/val_2.JPEG", 1),
        ("val/images/val_5.JPEG", 1),
        ("val/images/val_0.JPEG", 2),
        ("val/images/val_3.JPEG", 2),
    ]
    assert found.notices == ("not used: test",)


def test_tiny_imagenet_without_words_shows_wnids(tmp_path: Path) -> None:
    tiny_imagenet(tmp_path, ("n02", "n01"))
    (tmp_path / "words.txt").unlink()

    assert read(tmp_path).classes == ("n01", "n02")


def test_tiny_imagenet_tells_of_images_and_lines_that_do_not_meet(tmp_path: Path) -> None:
    tiny_imagenet(tmp_path, ("n01", "n02"))
    (tmp_path / "val" / "images" / "val_0.JPEG").unlink()
    image(tmp_path / "val" / "images" / "stranger.JPEG")

    found = read(tmp_path)

    assert len(found.val) == 3
    assert "left out: 1" in " ".join(found.notices)
    assert "not there: 1" in " ".join(found.notices)


def test_what_is_no_image_is_ignored_and_counted(tmp_path: Path) -> None:
    classes(tmp_path, cat=2, dog=2)
    for name in (".DS_Store", "cat/.hidden.png", "cat/notes.txt", "dog/Thumbs.db", "readme"):
        (tmp_path / name).write_bytes(b"x")
    classes(tmp_path / ".git", fake=3)
    classes(tmp_path / "__MACOSX", cat=3)
    (tmp_path / "cat" / "leads-nowhere.png").symlink_to(tmp_path / "gone.png")
    os.mkfifo(tmp_path / "dog" / "pipe.png")

    found = read(tmp_path)

    assert found.classes == ("cat", "dog")
    assert len(found.train) + len(found.val) == 4
    assert found.ignored == 9


@pytest.mark.parametrize(
    "name", ["a.JPG", "a.jpeg", "a.Jpe", "a.PNG", "a.bmp", "a.gif", "a.WebP", "a.tif", "a.ppm"]
)
def test_images_are_told_by_their_extension_in_any_case(tmp_path: Path, name: str) -> None:
    classes(tmp_path, cat=1, dog=2)
    (tmp_path / "cat" / name).write_bytes(b"not looked into here")

    assert len(read(tmp_path).train) + len(read(tmp_path).val) == 4


def test_images_below_a_class_count_for_it(tmp_path: Path) -> None:
    classes(tmp_path / "train", cat=1, dog=1)
    classes(tmp_path / "train" / "cat", indoors=2, outdoors=1)

    found = read(tmp_path)

    assert found.classes == ("cat", "dog")
    assert (found.train.labels + found.val.labels).count(0) == 4


def test_links_to_folders_are_followed_once_and_loops_end(tmp_path: Path) -> None:
    classes(tmp_path / "elsewhere", cat=3)
    folder = classes(tmp_path / "data", dog=2)
    (folder / "cat").symlink_to(tmp_path / "elsewhere" / "cat")
    (folder / "dog" / "again").symlink_to(folder / "dog")
    (folder / "dog" / "all").symlink_to(folder)

    found = read(folder)

    assert found.classes == ("cat", "dog")
    everything = found.train.paths + found.val.paths
    assert len(everything) == len(set(everything))
    own = [path for path in everything if "/dog/0" in path]
    assert len(own) >= 2


def test_images_outside_the_class_folders_are_left_out_and_told(tmp_path: Path) -> None:
    classes(tmp_path, cat=2, dog=2)
    image(tmp_path / "cover.png")

    found = read(tmp_path)

    assert len(found.train) + len(found.val) == 4
    assert found.notices == ("1 image lies outside the class folders and is left out",)


def test_choosing_the_training_part_alone_is_told(tmp_path: Path) -> None:
    classes(tmp_path / "train", a=3, b=3)
    classes(tmp_path / "val", a=1, b=1)

    found = read(tmp_path / "train")

    assert found.held_out
    assert found.notices == (
        f"the images in val beside it are not used; choose {tmp_path} for both",
    )


def test_names_from_outside_are_harmless_and_their_files_still_open(tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path)
    for name in (b"red\x1b[31m", b"red\x1b[31n", b"[bold]x[nope", b"caf\xe9", "größe".encode()):
        for number in range(2):
            image(folder + b"/" + name + b"/%d\xff\n.png" % number)

    found = read(tmp_path)

    assert found.classes == (
        "[bold]x[nope",
        "caf\N{REPLACEMENT CHARACTER}",
        "größe",
        "red\N{REPLACEMENT CHARACTER}[31m",
        "red\N{REPLACEMENT CHARACTER}[31n",
    )
    assert len(found.train) == len(found.val) == 5
    for path in found.train.paths + found.val.paths:
        assert Path(path).read_bytes()


def test_classes_that_read_the_same_get_different_names(tmp_path: Path) -> None:
    for name in (b"x\x01", b"x\x02", b"x\x03"):
        for number in range(2):
            image(os.fsencode(tmp_path) + b"/" + name + b"/%d.png" % number)

    found = read(tmp_path).classes

    assert len(set(found)) == 3
    assert found[0] == "x\N{REPLACEMENT CHARACTER}"


def test_a_relative_folder_gives_absolute_paths(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    classes(tmp_path / "data", cat=2, dog=2)
    monkeypatch.chdir(tmp_path)

    found = read(Path("data"))

    assert found.folder == str(tmp_path / "data")
    assert all(path.startswith(str(tmp_path / "data")) for path in found.train.paths)


def test_the_sample_data_is_what_its_readme_says(sample_data: Path) -> None:
    found = read(sample_data)

    assert found.classes == tuple("0123456789")
    assert (len(found.train), len(found.val)) == (1442, 355)


def test_real_photographs(photos: Path) -> None:
    found = read(photos)

    assert found.classes == ("ants", "bees")
    assert (len(found.train), len(found.val)) == (244, 153)
