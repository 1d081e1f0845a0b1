"""Journal files under damage: whatever a disk or a second writer does, whole lines come through."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import JournalError
from engine.journal import events, files
from engine.journal.events import Notice, encode
from engine.journal.files import Appender, Tail, parse


def notice(number: int) -> Notice:
    return Notice(t=1.0, level="info", text=f"notice {number}", code="x" * (number % 7))


def lines(count: int) -> bytes:
    return b"".join(encode(notice(number)) for number in range(count))


def numbers(found: list[events.AnyEvent]) -> list[int]:
    return [int(each.text.split()[1]) for each in found if isinstance(each, Notice)]


def drain(tail: Tail, limit: int = files.CHUNK) -> bytes:
    data = b""
    while piece := tail.read(limit):
        data += piece
    return data


@given(cut=st.integers(0, len(lines(8))), limit=st.integers(1, 400))
@settings(max_examples=60, deadline=None)
def test_a_file_cut_at_any_byte_gives_its_whole_lines_and_then_the_rest(
    tmp_path_factory: pytest.TempPathFactory, cut: int, limit: int
) -> None:
    path = tmp_path_factory.mktemp("cut") / "journal"
    data = lines(8)
    path.write_bytes(data[:cut])
    tail = Tail(path)
    first = drain(tail, limit)
    assert first == data[: data[:cut].rfind(b"\n") + 1]
    assert tail.drained
    with path.open("ab") as file:
        file.write(data[cut:])
    assert first + drain(tail, limit) == data
    assert tail.offset == tail.size == len(data)


@given(
    garbage=st.lists(st.tuples(st.integers(0, 12), st.binary(min_size=1, max_size=60)), max_size=6)
)
@settings(max_examples=100, deadline=None)
def test_garbage_lines_are_counted_and_the_events_around_them_survive(
    garbage: list[tuple[int, bytes]],
) -> None:
    whole = lines(12).splitlines(keepends=True)
    mixed = list(whole)
    bad = 0
    for position, text in sorted(garbage, reverse=True):
        # One line of garbage, as something else would leave it.
        line = b"garbage" + text.replace(b"\n", b"?").replace(b"\0", b"?") + b"\n"
        mixed.insert(position, line)
        bad += 1
    found, skipped = parse(b"".join(mixed))
    assert numbers(found) == list(range(12))
    assert skipped == bad


@given(data=st.binary(max_size=400))
def test_no_bytes_whatever_make_parsing_fail(data: bytes) -> None:
    found, skipped = parse(lines(2) + data + b"\n" + encode(notice(7)))
    assert numbers(found)[:2] == [0, 1]
    assert numbers(found)[-1] == 7
    assert skipped >= 0


@pytest.mark.parametrize(
    "line",
    [
        b'{"type":"notice","level":"info","text":"\xff\xfe"}',
        b'{"type":"from-a-later-version","t":1.0}',
        b'{"type":"notice","level":"info","text":"x","more":'
        + b"[" * 100_000
        + b"]" * 100_000
        + b"}",
        b'{"type":"dropped","count":' + b"9" * 400 + b"}",
        b'{"type":"dropped","count":-1}',
        b'{"type":"dropped","t":1e300,"count":1}',
        b"[" * 100_000,
        b"null",
        b"{}",
    ],
)
def test_lines_that_are_no_events_of_ours_count_as_skipped(line: bytes) -> None:
    found, skipped = parse(encode(notice(1)) + line + b"\n" + encode(notice(2)))
    assert numbers(found) == [1, 2]
    assert skipped == 1


def test_a_hole_of_nuls_is_counted_and_the_event_after_it_is_read() -> None:
    found, skipped = parse(encode(notice(1)) + b"\0" * 5000 + encode(notice(2)))
    assert numbers(found) == [1, 2]
    assert skipped == 1


def test_a_hole_longer_than_any_event_is_passed_over_in_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "LONGEST_LINE", 1000)
    path = tmp_path / "journal"
    path.write_bytes(lines(2) + b"\0" * 5300 + encode(notice(2)) + encode(notice(3)))
    tail = Tail(path)
    found, skipped = parse(drain(tail, 300))
    assert numbers(found)[:2] == [0, 1]
    assert numbers(found)[-1] == 3
    assert tail.skipped + skipped >= 1
    assert tail.offset == tail.size
    # And a hole that the file ends in is given up as well, instead of being read for ever.
    with path.open("ab") as file:
        file.write(b"\0" * 5000)
    assert parse(drain(tail))[0] == []
    with path.open("ab") as file:
        file.write(b"\n" + encode(notice(4)))
    assert numbers(parse(drain(tail))[0]) == [4]


def test_a_line_longer_than_a_chunk_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    long = encode(Notice(level="info", text="z" * 50_000))
    path.write_bytes(lines(1) + long + lines(1))
    assert drain(Tail(path), 64) == lines(1) + long + lines(1)


def test_a_file_that_was_replaced_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    path.write_bytes(lines(5))
    tail = Tail(path)
    drain(tail)
    other = tmp_path / "other"
    other.write_bytes(lines(6))
    other.replace(path)
    assert drain(tail) == lines(6)
    assert tail.generation == 1


def test_a_file_that_was_cut_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    path.write_bytes(lines(5))
    tail = Tail(path)
    drain(tail)
    path.write_bytes(lines(2))
    assert drain(tail) == lines(2)
    assert tail.generation == 1


def test_a_file_cut_and_grown_beyond_its_old_size_is_told_by_its_first_line(
    tmp_path: Path,
) -> None:
    def started() -> bytes:
        fields = files.writer_fields()
        return encode(events.AttemptStarted(rank=0, world_size=1, **fields))

    path = tmp_path / "journal"
    path.write_bytes(started() + lines(3))
    tail = Tail(path)
    drain(tail)
    inode = path.stat().st_ino
    again = started() + lines(9)
    with path.open("r+b") as file:
        file.truncate(0)
        file.write(again)
    assert path.stat().st_ino == inode
    assert drain(tail) == again
    assert tail.generation == 1


def test_a_file_that_only_grows_stays_the_same_one(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    path.write_bytes(lines(1)[:10])
    tail = Tail(path)
    assert drain(tail) == b""
    for end in (30, len(lines(1)), 400, len(lines(9))):
        path.write_bytes(lines(9)[:end])
        drain(tail)
    assert tail.generation == 0
    assert tail.offset == len(lines(9))


def test_a_missing_or_unreadable_file_has_nothing_to_say(tmp_path: Path) -> None:
    assert Tail(tmp_path / "none").read() == b""
    assert Tail(tmp_path).read() == b""
    file = tmp_path / "file"
    file.write_bytes(lines(1))
    assert Tail(file / "below").read() == b""


def test_a_file_that_disappears_keeps_its_place(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    path.write_bytes(lines(3))
    tail = Tail(path)
    drain(tail)
    path.unlink()
    assert tail.read() == b""
    assert tail.drained
    assert tail.offset == len(lines(3))


def test_an_appender_closes_the_line_its_predecessor_left(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "journal"
    first = Appender(path)
    first.append(notice(1))
    first.close()
    with path.open("ab") as file:
        file.write(encode(notice(2))[:20])
    second = Appender(path)
    second.append(notice(3))
    second.sync()
    second.close()
    found, skipped = parse(path.read_bytes())
    assert numbers(found) == [1, 3]
    assert skipped == 1


def test_two_writers_at_once_spoil_no_line(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    one, two = Appender(path), Appender(path)
    for number in range(100):
        (one if number % 3 else two).append(notice(number))
    found, skipped = parse(drain(Tail(path), 333))
    assert numbers(found) == list(range(100))
    assert skipped == 0


def test_a_full_disk_is_a_sentence_and_spoils_only_its_own_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    appender = Appender(tmp_path / "journal")
    appender.append(notice(1))
    room = [9]
    write = os.write

    def on_a_full_disk(fd: int, data: bytes) -> int:
        if not room:
            raise OSError(28, "No space left on device")
        return write(fd, data[: room.pop()])

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", on_a_full_disk)
        with pytest.raises(JournalError, match=r"cannot write to .*No space left"):
            appender.append(notice(2))
    appender.append(notice(3))
    found, skipped = parse((tmp_path / "journal").read_bytes())
    assert numbers(found) == [1, 3]
    assert skipped == 1


def test_a_journal_that_cannot_be_opened_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalError, match="cannot open the journal"):
        Appender(tmp_path / "file" / "journal")


def test_a_loss_that_is_not_finite_survives_the_file() -> None:
    event = events.EpochEnded(
        epoch=0, step=1, images=1, loss_sum=float("nan"), top1=0, top5=0, seconds=1, wait_seconds=0
    )
    (found,), skipped = parse(encode(event))
    assert isinstance(found, events.EpochEnded)
    assert found.loss_sum is None
    assert skipped == 0
