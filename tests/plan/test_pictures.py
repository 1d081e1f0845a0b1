from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import WrongInput
from engine.plan.pictures import class_of, pictures


def test_folders_are_walked_in_order_and_each_image_is_there_once(tmp_path: Path) -> None:
    for name in ("b/2.png", "b/10.JPG", "a/deep/1.bmp", "a/notes.txt", "odd"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    found = pictures([str(tmp_path / "odd"), str(tmp_path), str(tmp_path / "b" / "2.png")])
    names = [str(Path(each).relative_to(tmp_path)) for each in found]
    assert names == ["odd", "a/deep/1.bmp", "b/10.JPG", "b/2.png"]


@pytest.mark.parametrize(
    ("name", "told"),
    [("none.png", "does not exist"), ("empty", "holds no images"), ("/dev/null", "is no file")],
)
def test_what_is_no_image_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, told: str
) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(WrongInput, match=told):
        pictures([name])


def test_the_folder_of_an_image_may_be_a_class() -> None:
    names = ("ants", "bees")
    assert class_of("/data/val/ants/1.png", names) == "ants"
    assert class_of("/data/train/bees/images/1.png", names) == "bees"
    assert class_of("/ants/other/1.png", names) is None
    assert class_of("1.png", names) is None
    assert class_of("/x/images/1.png", (*names, "images")) == "images"
