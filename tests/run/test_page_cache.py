"""The images are read into memory before the first of several runs."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import psutil
import pytest

from engine.journal import layout
from engine.journal.events import Notice, Preparing
from engine.plan.config import Settings
from engine.run import control, page_cache, past
from engine.run.docket import Docket
from engine.run.page_cache import Amount, free_memory, measure, read, sees, told
from engine.run.spawn import start_supervisor
from engine.run.teller import Teller
from engine.run.warming import Warming
from tests.run.making import eventually, make_experiment, processes, supervisor_events

SECONDS = 60.0


def test_all_is_read_but_what_cannot_be(tmp_path: Path) -> None:
    sizes = {"a": 3_000_000, "b": 10, "empty": 0}
    for name, size in sizes.items():
        (tmp_path / name).write_bytes(bytes(size))
    os.mkfifo(tmp_path / "pipe")  # Nobody will ever write to it.
    (tmp_path / "folder").mkdir()
    paths = [str(tmp_path / name) for name in (*sizes, "gone", "folder", "pipe")]
    assert measure(paths) == Amount(3, 3_000_010)
    done = read([path for path in paths if not path.endswith("pipe")])
    assert done == Amount(3, 3_000_010)
    assert read([*paths] * 500).files >= 1500
    assert read(paths, patience=-1.0) == Amount()


def test_what_came_of_it_is_said() -> None:
    asked = Amount(397, 47_185_920)
    assert told(asked, asked, 1.23).text == "read 397 images (45 MiB) into memory in 1.2 s"
    assert told(asked, Amount(390, 47_000_000), 1.0).text.endswith("; 7 could not be read")
    assert "and no more of 397" in told(asked, Amount(100, 9), page_cache.PATIENCE).text


def test_what_few_steps_see() -> None:
    assert sees(Settings(), 100) == 1.0
    assert sees(Settings(max_steps=2, batch_size=25), 1000) == 0.05
    assert sees(Settings(max_steps=2000, batch_size=25), 1000) == 1.0


def test_free_memory_is_less_than_there_is() -> None:
    assert 0 < free_memory() < psutil.virtual_memory().total


def said(directory: Path, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    events: list[object] = []
    monkeypatch.setattr(page_cache, "_say", events.append)
    assert page_cache.main([str(directory)]) == 0
    return events


def test_images_that_do_not_fit_are_not_read(
    squares: Path, parent: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make_experiment(parent, squares)
    assert [type(each) for each in said(made.directory, monkeypatch)] == [Preparing, Notice]
    monkeypatch.setattr(page_cache, "free_memory", lambda: 1000)
    preparing, notice = said(made.directory, monkeypatch)
    assert preparing == Preparing(t=preparing.t, what="reading 48 images into memory")  # type: ignore[attr-defined]
    assert "48 images of " in notice.text  # type: ignore[attr-defined]
    assert "do not fit in memory (500 bytes may be used)" in notice.text  # type: ignore[attr-defined]

    few = make_experiment(parent, squares, max_steps=1, batch_size=2)
    monkeypatch.setattr(page_cache, "free_memory", lambda: 1 << 40)
    assert " read 48 images" in f" {said(few.directory, monkeypatch)[-1].text}"  # type: ignore[attr-defined]
    monkeypatch.setattr(page_cache, "SMALL", 1000)
    _, notice = said(few.directory, monkeypatch)
    assert "a run that ends after step 1 sees 6.2% of them" in notice.text  # type: ignore[attr-defined]
    gone = make_experiment(parent, tmp_path / "gone")
    assert said(gone.directory, monkeypatch) == []


def test_it_can_be_stopped_at_any_time(squares: Path, parent: Path) -> None:
    made = make_experiment(parent, squares, "single", "amp")
    docket = Docket(made, Teller(made.directory / layout.SUPERVISOR_JOURNAL))
    for end in (Warming.stop, Warming.kill, Warming.end):
        task = Warming(docket)
        (reading,) = processes(made.directory)
        reading.send_signal(signal.SIGSTOP)  # A disk that does not answer.
        assert not task.poll()
        assert not task.stopping
        end(task)
        eventually(task.poll, 10)
        eventually(lambda: not processes(made.directory), 10)
    assert past.events(made.directory) == []


def test_a_reader_that_breaks_ends_nothing_and_is_told_of(squares: Path, parent: Path) -> None:
    made = make_experiment(parent, squares, "single", "amp")
    docket = Docket(made, Teller(made.directory / layout.SUPERVISOR_JOURNAL))
    (made.directory / layout.PLAN).write_text("{}")
    task = Warming(docket)
    eventually(task.poll)
    (notice,) = past.events(made.directory)
    assert isinstance(notice, Notice)
    assert "could not be read into memory beforehand (exit code 1;" in notice.text


def test_it_is_done_before_the_first_of_several_runs(squares: Path, parent: Path) -> None:
    for names, expected in ((("single", "amp"), 1), (("single",), 0)):
        made = make_experiment(parent, squares, *names, max_steps=1, batch_size=16)
        made.directory.joinpath("01-single").write_text("in the way")  # No run is launched.
        made.directory.joinpath("02-amp").write_text("in the way")
        start_supervisor(made)
        assert control.wait(made, SECONDS) == "failed"
        kinds = supervisor_events(made)
        assert kinds.count("Notice") == expected
        assert kinds.count("Preparing") == 2 * expected
        if expected:
            assert kinds.index("Preparing") < kinds.index("RunEnded")
