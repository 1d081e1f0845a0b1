from __future__ import annotations

import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch

from engine.errors import JournalError
from engine.journal.events import (
    AnyEvent,
    AttemptEnded,
    AttemptStarted,
    Dropped,
    EpochStarted,
    Memory,
    Notice,
    Phase,
    Steps,
)
from engine.journal.files import parse, writer_fields
from engine.train import recorder as module
from engine.train.clocks import HostClock
from engine.train.recorder import Recorder
from engine.train.telemetry import SLOTS, Telemetry
from tests.train.making import column


def _recorder(path: Path) -> Recorder:
    return Recorder(path, AttemptStarted(**writer_fields(), rank=0, world_size=1))


def _telemetry(recorder: Recorder) -> Telemetry:
    device = torch.device("cpu")
    telemetry = Telemetry(device, HostClock(SLOTS))
    telemetry.begin_epoch()
    recorder.attach(telemetry)
    return telemetry


def _step(telemetry: Telemetry, step: int) -> None:
    telemetry.begin(step, 0.1)
    telemetry.loaded()
    telemetry.end(torch.tensor([1.0, 1.0, 1.0, 1.0, 1.0]), None)


def _events(path: Path) -> tuple[list[AnyEvent], int]:
    return parse(path.read_bytes())


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@contextmanager
def _files_limited_to(size: int) -> Iterator[None]:
    """No file of this process may grow beyond ``size`` bytes: as a full disk, writes fail."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_steps_come_before_what_was_posted_after_them(tmp_path: Path) -> None:
    recorder = _recorder(tmp_path / "rank0.jsonl")
    telemetry = _telemetry(recorder)
    for step in range(5):
        _step(telemetry, step)
    recorder.post(EpochStarted(epoch=1, step=5))
    recorder.close(AttemptEnded(state="done", step=5))
    events, skipped = _events(tmp_path / "rank0.jsonl")
    kinds = [type(each) for each in events if not isinstance(each, Memory)]
    assert kinds == [AttemptStarted, Steps, EpochStarted, AttemptEnded]
    assert isinstance(events[-1], AttemptEnded)
    assert skipped == 0


def test_a_sync_means_that_everything_is_in_the_file(tmp_path: Path) -> None:
    recorder = _recorder(tmp_path / "rank0.jsonl")
    telemetry = _telemetry(recorder)
    for step in range(1000):
        _step(telemetry, step)
    recorder.sync(20)
    assert sorted(column(_events(tmp_path / "rank0.jsonl")[0], "loss")) == list(range(1000))
    recorder.close(AttemptEnded(state="done", step=1000))


def test_a_full_disk_loses_no_step_and_stops_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "RETRY", 0.05)
    path = tmp_path / "rank0.jsonl"
    recorder = _recorder(path)
    telemetry = _telemetry(recorder)
    with _files_limited_to(path.stat().st_size + 100):
        for step in range(2000):
            _step(telemetry, step)
        recorder.post(Phase(name="validating"))
        _until(lambda: bool(recorder._problem))
        with pytest.raises(JournalError, match="cannot"):
            recorder.sync(5)
    _until(lambda: not recorder._problem)
    recorder.close(AttemptEnded(state="done", step=2000))
    events, skipped = _events(path)
    assert sorted(column(events, "loss")) == list(range(2000))
    assert sum(isinstance(each, Phase) for each in events) == 1
    assert any(isinstance(each, Notice) and each.code == "journal" for each in events)
    assert skipped <= 1  # the line that was cut
    assert "steps are kept in memory" in capfd.readouterr().err


def test_events_beyond_the_queue_are_dropped_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "QUEUE", 3)
    path = tmp_path / "rank0.jsonl"
    recorder = _recorder(path)
    with _files_limited_to(path.stat().st_size):
        for _ in range(10):
            recorder.post(Phase(name="x"))
        _until(lambda: bool(recorder._problem))
    recorder.close(AttemptEnded(state="done", step=0))
    events, _ = _events(path)
    kept = sum(isinstance(each, Phase) for each in events)
    dropped = sum(each.count for each in events if isinstance(each, Dropped))
    assert kept + dropped == 10
    assert dropped > 0
    assert isinstance(events[-1], AttemptEnded)


def test_a_dead_disk_does_not_keep_a_rank_from_ending(tmp_path: Path) -> None:
    path = tmp_path / "rank0.jsonl"
    recorder = _recorder(path)
    with _files_limited_to(path.stat().st_size):
        began = time.monotonic()
        recorder.close(AttemptEnded(state="done", step=0), patience=0.3)
        assert time.monotonic() - began < 10


class _Lost(Telemetry):
    """Of a device that fails: whoever asks it anything from then on gets its error."""

    def harvest(self) -> None:
        raise RuntimeError("CUDA error: an illegal memory access was encountered")


def test_a_device_that_fails_takes_no_last_words_away(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    recorder = _recorder(tmp_path / "rank0.jsonl")
    recorder.attach(_Lost(torch.device("cpu"), HostClock(SLOTS)))
    time.sleep(4 * module.POLL)
    recorder.close(AttemptEnded(state="failed", step=0, reason="the device failed"))
    events, _ = _events(tmp_path / "rank0.jsonl")
    assert isinstance(events[-1], AttemptEnded)
    assert capfd.readouterr().err.count("illegal memory access") == 1
