"""The report that grows while a folder is read."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from engine.plan import inspection
from engine.plan.inspection import Report, inspect
from tests.plan.making import classes, image


def reports(folder: Path) -> list[Report]:
    return list(inspect(folder, 0.2, 0))


def test_the_first_report_has_the_classes_and_says_that_it_is_early(tmp_path: Path) -> None:
    classes(tmp_path, cat=5, dog=5)

    first = next(iter(inspect(tmp_path, 0.2, 0)))

    assert [each.name for each in first.classes] == ["cat", "dog"]
    assert not first.listed
    assert not first.complete
    assert first.imbalance is None
    assert first.typical_width is None


def test_the_last_report_is_complete(tmp_path: Path) -> None:
    classes(tmp_path, cat=10, dog=5)
    for number, size in enumerate([(100, 50), (60, 40), (8, 8)]):
        image(tmp_path / "emu" / f"{number}.png", size)
    (tmp_path / "notes.txt").write_text("x")

    last = reports(tmp_path)[-1]

    assert last.complete
    assert [(each.name, each.train, each.val) for each in last.classes] == [
        ("cat", 8, 2),
        ("dog", 4, 1),
        ("emu", 2, 1),
    ]
    assert (last.train_images, last.val_images, last.images) == (14, 4, 18)
    assert last.headers_read == 18
    assert last.imbalance == 4.0
    assert last.held_out
    assert last.ignored == 1
    assert (last.typical_width, last.typical_height) == (4, 3)
    assert last.bytes == sum(path.stat().st_size for path in tmp_path.glob("*/*.png"))
    assert last.unreadable == 0


def test_counts_only_grow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspection, "_REPORT_EVERY", 0.0)
    monkeypatch.setattr(inspection, "_HEADERS_AT_ONCE", 4)
    classes(tmp_path / "train", a=9, b=9)
    classes(tmp_path / "val", a=3, b=3)

    seen = reports(tmp_path)

    assert len(seen) > 8
    images = [each.images for each in seen]
    read = [each.headers_read for each in seen]
    assert images == sorted(images)
    assert read == sorted(read)
    assert read[0] == 0
    assert read[-1] == images[-1] == 24
    assert [each.listed for each in seen] == sorted(each.listed for each in seen)


def test_unreadable_headers_are_counted_and_the_first_are_named(tmp_path: Path) -> None:
    classes(tmp_path, cat=3, dog=3)
    for number in range(12):
        (tmp_path / "cat" / f"broken{number:02d}.jpg").write_bytes(b"GIF89a or not")
    (tmp_path / "dog" / "empty.png").write_bytes(b"")
    whole = (tmp_path / "dog" / "000.png").read_bytes()
    (tmp_path / "dog" / "short.png").write_bytes(whole[:20])
    image(os.fsencode(tmp_path) + b"/dog/evil\x1b.png")

    last = reports(tmp_path)[-1]

    assert last.complete
    assert last.unreadable == 14
    assert len(last.unreadable_names) == 10
    assert all(name.startswith(("cat/broken", "dog/")) for name in last.unreadable_names)
    assert (last.typical_width, last.typical_height) == (4, 3)


def test_a_file_that_may_not_be_read_counts_as_unreadable(tmp_path: Path) -> None:
    classes(tmp_path, cat=2, dog=2)
    gone = tmp_path / "cat" / "000.png"
    gone.chmod(0)
    if os.geteuid() == 0:  # Root reads everything; what is no file is refused to everybody.
        gone.unlink()
        gone.symlink_to("/proc/self/mem")
    assert stat.S_ISREG(gone.stat().st_mode)

    assert reports(tmp_path)[-1].unreadable == 1


def test_an_image_too_large_to_be_true_is_unreadable_and_prints_nothing(
    tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    classes(tmp_path, cat=2, dog=2)
    bmp = bytearray()
    bmp += b"BM" + (1 << 20).to_bytes(4, "little") + bytes(4) + (54).to_bytes(4, "little")
    bmp += (40).to_bytes(4, "little") + (10_000).to_bytes(4, "little") * 2
    bmp += (1).to_bytes(2, "little") + (24).to_bytes(2, "little") + bytes(24)
    (tmp_path / "cat" / "huge.bmp").write_bytes(bmp)

    assert reports(tmp_path)[-1].unreadable == 1
    assert not recwarn.list


def test_text_in_a_report_is_harmless(tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path) + b"/data\x1b[2J\xff"
    for number in range(2):
        image(folder + b"/cat\x07/%d.png" % number)
        image(folder + b"/dog/%d.png" % number)
    Path(os.fsdecode(folder + b"/dog/bad\x9b.jpg")).write_bytes(b"x")

    last = reports(Path(os.fsdecode(folder)))[-1]

    shown = last.folder + last.classes[0].name + "".join(last.unreadable_names)
    assert shown.isprintable()
    assert shown.encode("utf-8")


def test_real_photographs(photos: Path) -> None:
    last = reports(photos)[-1]

    assert last.complete
    assert (last.train_images, last.val_images, last.unreadable) == (244, 153, 0)
    assert last.typical_width is not None
    assert 300 < last.typical_width < 600
