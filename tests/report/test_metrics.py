"""``metrics.npz``: every step once, exact epochs and validations, and no pickle."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.errors import ExperimentError
from engine.journal import layout
from engine.report import metrics
from engine.report.metrics import main, write_metrics
from tests.journal.writing import BATCH, RankWriter, Shape, columns, write_experiment

RUN = "01-single"


def read(path: Path) -> dict[str, NDArray[Any]]:
    with np.load(path, allow_pickle=False) as stored:
        return dict(stored.items())


def test_what_was_measured_is_read_back(tmp_path: Path) -> None:
    shape = Shape(total_steps=120, steps_per_epoch=50)
    made = write_experiment(tmp_path, tmp_path / "d", shape=shape, started=1000.0)
    path = write_metrics(made.directory, RUN)
    assert path == made.directory / RUN / "metrics.npz"
    stored = read(path)
    loss, top1, top5, lr, images, seconds, _ = columns(0, 120)
    assert stored["train_step"].tolist() == list(range(1, 121))
    for name, expected in (
        ("train_loss", loss),
        ("train_top1", top1),
        ("train_top5", top5),
        ("learning_rate", lr),
        ("train_images", images),
        ("train_seconds", seconds),
    ):
        assert stored[name].dtype == np.float32
        np.testing.assert_array_equal(stored[name], expected)
    # Two seconds of starting up, 0.05 s a step, and 0.2 s of validation after an epoch.
    times = 1002.0 + np.arange(120) * 0.05 + np.arange(120) // 50 * 0.2
    np.testing.assert_allclose(stored["train_time"], times, atol=1e-4)
    # The third epoch was not finished.
    assert stored["epoch"].tolist() == stored["val_epoch"].tolist() == [1, 2]
    assert stored["epoch_step"].tolist() == stored["val_step"].tolist() == [50, 100]
    assert stored["epoch_images"].tolist() == [50 * BATCH] * 2
    np.testing.assert_allclose(stored["epoch_loss"], [loss[:50].mean(), loss[50:100].mean()])
    np.testing.assert_allclose(stored["epoch_seconds"], [2.5, 2.5])
    assert stored["val_images"].tolist() == [100, 100]
    np.testing.assert_allclose(stored["val_top1"], [0.14, 0.23])
    assert stored["schema"] == 1


def test_ranks_are_one_run_and_steps_that_a_resume_undid_are_gone(tmp_path: Path) -> None:
    for rank in (0, 1):
        first = RankWriter(tmp_path, RUN, 1000.0, rank=rank)
        first.begin(world_size=2)
        first.steps(30)
        first.close()
        second = RankWriter(tmp_path, RUN, 2000.0, attempt=2, rank=rank)
        second.begin(from_step=20, world_size=2)
        second.steps(15)
        second.close()
    stored = read(write_metrics(tmp_path, RUN))
    assert stored["train_step"].tolist() == list(range(1, 36))
    assert stored["train_images"].tolist() == [2 * BATCH] * 35
    assert (np.diff(stored["train_time"]) > 0).all()
    assert stored["train_time"][20] == pytest.approx(2002.0)


def test_a_line_that_is_half_written_and_one_that_is_damaged_disturb_nothing(
    tmp_path: Path,
) -> None:
    writer = RankWriter(tmp_path, RUN, 1000.0)
    writer.begin()
    writer.steps(3)
    writer.close()
    with layout.rank_journal(tmp_path, RUN, 1, 0).open("ab") as journal:
        journal.write(b'{"type":"steps","first":-1}\n\0\0\0\n{"type":"steps","fir')
    stored = read(write_metrics(tmp_path, RUN))
    assert stored["train_step"].tolist() == [1, 2, 3]
    assert stored["epoch"].size == stored["val_loss"].size == 0


def test_a_run_that_has_only_begun_has_empty_arrays(tmp_path: Path) -> None:
    writer = RankWriter(tmp_path, RUN, 1000.0)
    writer.begin()
    writer.close()
    stored = read(write_metrics(tmp_path, RUN))
    assert stored["train_loss"].shape == stored["train_time"].shape == (0,)


def test_what_cannot_be_written_is_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ExperimentError, match="has measured nothing of a run '09-none'"):
        write_metrics(tmp_path, "09-none")
    made = write_experiment(tmp_path, tmp_path / "d")
    (made.directory / RUN / "metrics.npz").mkdir()
    assert main([str(made.directory), RUN]) == 2
    assert "cannot write" in capsys.readouterr().err
    assert [each.name for each in (made.directory / RUN).iterdir() if "npz" in each.name] == [
        "metrics.npz"
    ]
    assert main([]) == 2


def test_the_command_writes_it(tmp_path: Path) -> None:
    made = write_experiment(tmp_path, tmp_path / "d")
    assert main([str(made.directory), RUN]) == 0
    path = made.directory / RUN / metrics.NAME
    assert sorted(each.name for each in path.parent.iterdir()) == ["attempt-1", "metrics.npz"]
    assert read(path)["train_step"].size == 200


def test_every_name_is_documented(tmp_path: Path) -> None:
    made = write_experiment(tmp_path, tmp_path / "d")
    named = set(re.findall(r"``(\w+)``", metrics.__doc__ or ""))
    assert set(read(write_metrics(made.directory, RUN))) <= named
