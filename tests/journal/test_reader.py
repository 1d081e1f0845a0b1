"""The reader on real files: bounded, fair, and unmoved by what happens to a directory."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.journal import events, layout
from engine.journal import reader as reader_module
from engine.journal.files import Appender
from engine.journal.reader import JournalReader
from engine.journal.views import ExperimentView
from tests.journal.writing import RankWriter, Shape, loss_at, write_experiment

RUN = "01-single"


@pytest.fixture(autouse=True)
def look_every_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """New files are looked for at every poll, so that no test waits."""
    monkeypatch.setattr(reader_module, "_DISCOVER", 0.0)


def poll_all(reader: JournalReader, limit: int = 10_000) -> ExperimentView:
    reader.poll(limit)
    while not reader.caught_up:
        reader.poll(limit)
    return reader.view()


def test_a_whole_experiment_is_read_as_it_was_written(tmp_path: Path) -> None:
    shape = Shape(total_steps=230, steps_per_epoch=50)
    made = write_experiment(
        tmp_path, Path("photographs"), strategies=("single", "amp"), shape=shape
    )
    view = JournalReader(made.directory).read_all()
    assert view.state == "done"
    assert [run.strategy for run in view.runs] == ["single", "amp"]
    assert view.bytes_read == view.bytes_total > 0
    assert view.skipped_lines == 0
    assert view.cores == 2
    for run in view.runs:
        assert (run.state, run.step, run.attempt) == ("done", 230, 1)
        assert [epoch.end_step for epoch in run.epochs] == [50, 100, 150, 200]
        assert len(run.validations) == len(run.checkpoints) == 4
        assert [phase.name for phase in run.phases] == [
            "importing torch",
            "reading images",
            "model",
        ]
        assert all(phase.seconds for phase in run.phases)
        assert run.history.last("loss") == pytest.approx(loss_at(229))
        assert run.epochs[0].loss == pytest.approx(run.history.rows("loss", 0, 50).mean(), rel=1e-5)


@given(limit=st.integers(1, 60_000))
@settings(max_examples=10, deadline=None)
def test_pieces_of_any_size_give_the_same(
    tmp_path_factory: pytest.TempPathFactory, limit: int
) -> None:
    parent = tmp_path_factory.mktemp("pieces")
    made = write_experiment(parent, Path("x"), shape=Shape(total_steps=300, per_event=7))
    whole = JournalReader(made.directory).read_all()
    pieces = poll_all(JournalReader(made.directory), limit)
    assert pieces.bytes_read == whole.bytes_read
    assert pieces.runs[0].epochs == whole.runs[0].epochs
    assert pieces.runs[0].history.total_seconds() == whole.runs[0].history.total_seconds()
    assert pieces.runs[0].history.mean("loss", 300) == whole.runs[0].history.mean("loss", 300)


def test_a_poll_reads_little_and_says_how_far_it_is(tmp_path: Path) -> None:
    made = write_experiment(tmp_path, Path("x"), shape=Shape(total_steps=5000))
    reader = JournalReader(made.directory)
    seen = []
    while not reader.caught_up:
        before = reader.view().bytes_read
        reader.poll(20_000)
        view = reader.view()
        assert view.bytes_read - before <= 20_000 + 16_384
        seen.append((view.bytes_read, view.bytes_total))
    assert len(seen) > 10
    assert len({total for _, total in seen}) == 1
    assert seen[-1][0] == seen[-1][1]


def test_a_live_run_is_heard_while_a_long_old_one_is_still_read(tmp_path: Path) -> None:
    shape = Shape(total_steps=20_000, steps_per_epoch=20_000)
    made = write_experiment(tmp_path, Path("x"), shape=shape)
    live = RankWriter(made.directory, "02-amp", 1.0)
    live.begin()
    reader = JournalReader(made.directory)
    reader.poll(50_000)
    live.steps(10)
    reader.poll(50_000)
    view = reader.view()
    assert view.bytes_read < view.bytes_total / 2
    run = view.run("02-amp")
    assert run is not None
    assert run.step == 10
    live.close()


def test_many_files_share_a_small_limit(tmp_path: Path) -> None:
    for rank in range(40):
        writer = RankWriter(tmp_path, RUN, 1.0, rank=rank)
        writer.begin(world_size=40)
        for _ in range(20):
            writer.steps(50)
        writer.close()
    reader = JournalReader(tmp_path)
    reached = []
    while not reader.caught_up:
        reader.poll(100_000)
        (run,) = reader.view().runs
        reached.append({rank: _steps(run.history.segments.get(rank)) for rank in range(40)})
    # Nobody was left behind for long: by the middle everyone had said something.
    assert min(reached[len(reached) // 2].values()) > 0
    assert reader.view().runs[0].step == 1000


def _steps(segments: object) -> int:
    return sum(each.track.size for each in segments) if isinstance(segments, tuple) else 0


def test_what_is_appended_later_is_found(tmp_path: Path) -> None:
    reader = JournalReader(tmp_path / "not yet there")
    assert not reader.poll()
    assert reader.caught_up
    reader = JournalReader(tmp_path)
    supervisor = Appender(tmp_path / layout.SUPERVISOR_JOURNAL)
    supervisor.append(events.RunQueued(run=RUN, strategy="single", seed=0))
    assert reader.poll()
    assert reader.view().runs[0].state == "queued"
    supervisor.append(events.RunStarted(run=RUN, attempt=1, argv=(), pid=1))
    writer = RankWriter(tmp_path, RUN, 5.0)
    writer.begin()
    writer.steps(3)
    assert poll_all(reader).runs[0].step == 3
    assert not reader.poll()
    writer.steps(4)
    assert poll_all(reader).runs[0].step == 7
    again = RankWriter(tmp_path, RUN, 90.0, attempt=2)
    again.begin(from_step=5)
    again.steps(1)
    run = poll_all(reader).runs[0]
    assert (run.attempt, run.step) == (2, 6)


def test_half_a_line_is_not_yet(tmp_path: Path) -> None:
    writer = RankWriter(tmp_path, RUN, 5.0)
    writer.begin()
    writer.steps(3)
    path = layout.rank_journal(tmp_path, RUN, 1, 0)
    line = events.encode(events.EpochStarted(epoch=6, step=3))
    with path.open("ab") as file:
        file.write(line[:15])
    reader = JournalReader(tmp_path)
    view = poll_all(reader)
    assert view.bytes_read == view.bytes_total == path.stat().st_size - 15
    assert view.skipped_lines == 0
    with path.open("ab") as file:
        file.write(line[15:])
    assert poll_all(reader).runs[0].epoch == 6


def test_a_replaced_journal_is_read_from_nothing(tmp_path: Path) -> None:
    writer = RankWriter(tmp_path, RUN, 5.0)
    writer.begin()
    writer.steps(50)
    reader = JournalReader(tmp_path)
    assert poll_all(reader).runs[0].step == 50
    layout.rank_journal(tmp_path, RUN, 1, 0).unlink()
    other = RankWriter(tmp_path, RUN, 5.0)
    other.begin()
    other.steps(8)
    view = poll_all(reader)
    assert view.runs[0].step == 8
    assert view.bytes_read == view.bytes_total


def test_a_deleted_directory_leaves_what_was_read(tmp_path: Path) -> None:
    made = write_experiment(tmp_path, Path("x"), shape=Shape(total_steps=100))
    reader = JournalReader(made.directory)
    poll_all(reader)
    shutil.rmtree(made.directory)
    assert not reader.poll()
    assert reader.caught_up
    assert reader.view().runs[0].step == 100
    assert JournalReader(made.directory).read_all().runs == ()


def test_garbage_between_the_lines_is_counted_and_passed_over(tmp_path: Path) -> None:
    made = write_experiment(tmp_path, Path("x"), shape=Shape(total_steps=100))
    path = layout.rank_journal(made.directory, RUN, 1, 0)
    whole = path.read_bytes().splitlines(keepends=True)
    whole[10:10] = [b"\xff\xfe nonsense\n", b'{"type":"steps"}\n', b"\0" * 3000]
    whole.append(b'{"type":"steps","t":1.0,"fir')
    path.write_bytes(b"".join(whole))
    view = JournalReader(made.directory).read_all()
    assert view.runs[0].step == 100
    assert view.runs[0].state == "done"
    assert view.skipped_lines == 3


@given(where=st.integers(0, 10**6), damage=st.binary(min_size=1, max_size=200))
@settings(max_examples=30, deadline=None)
def test_no_damage_at_any_place_stops_the_reading(
    tmp_path_factory: pytest.TempPathFactory, where: int, damage: bytes
) -> None:
    parent = tmp_path_factory.mktemp("damage")
    made = write_experiment(parent, Path("x"), shape=Shape(total_steps=60))
    path = layout.rank_journal(made.directory, RUN, 1, 0)
    data = bytearray(path.read_bytes())
    at = where % len(data)
    data[at : at + len(damage)] = damage
    path.write_bytes(data)
    view = JournalReader(made.directory).read_all()
    assert view.bytes_read == view.bytes_total or data[-1:] != b"\n"
    assert view.runs[0].step <= 60 + 2**20
    run = view.runs[0]
    run.history.buckets("loss", "time", 0, 1e9, 80)
    assert run.state == "done"
