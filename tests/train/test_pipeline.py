"""The pipeline of processes; that it computes what plain training does, ``cases.py`` proves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from engine.errors import SettingError
from engine.plan.schedule import bubble
from engine.train.pipelined import groups
from engine.train.strategies.pipeline import Pipeline
from engine.train.world import World
from tests.train.laboratory import network
from tests.train.making import plan
from tests.train.pipeline_rank import MICRO_BATCHES, NAP
from tests.train.staging import CPU


def _torchrun(folder: Path, what: str) -> subprocess.CompletedProcess[str]:
    """Two ranks, as a user would start them."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    return subprocess.run(
        [*command, "--log-dir", folder, "-m", "tests.train.pipeline_rank", str(folder), what],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("pipeline")
    done = _torchrun(folder, "proofs")
    assert done.returncode == 0, done.stderr[-3000:]
    told: dict[str, Any] = json.loads((folder / "answers.json").read_text())
    return told


@pytest.mark.parametrize("kind", ["gpipe", "1f1b"])
def test_the_bubble_measured_is_the_one_that_theory_knows(
    answers: dict[str, Any], kind: str
) -> None:
    ranks = answers["naps"][kind]
    for busy, _ in ranks:
        # Forward, and backward twice as long: waiting for the other stage is no part of it.
        assert busy == pytest.approx(MICRO_BATCHES * 3 * NAP, rel=0.1)
    seconds = max(each for _, each in ranks)
    measured = 1 - sum(busy for busy, _ in ranks) / (len(ranks) * seconds)
    assert measured == pytest.approx(bubble(len(ranks), MICRO_BATCHES), abs=0.08)


def test_the_first_rank_tells_the_plan_and_every_rank_its_stage(answers: dict[str, Any]) -> None:
    first, second = answers["plans_and_measurements"]
    assert first[0] == [[8, 8, "1f1b"]]
    assert second[0] == []
    assert [first[1], second[1]] == [[0], [1]]
    assert first[3] == second[3]  # One time for all: that of the rank that ends last.
    assert 0 < first[2] < first[3]
    assert 0 < second[2] < first[3]


@pytest.mark.parametrize("checkpointing", ["False", "True"])
def test_running_statistics_move_once_by_those_of_the_whole_batch(
    answers: dict[str, Any], checkpointing: str
) -> None:
    seen = answers["statistics"][checkpointing]
    assert seen["whole batch"] < 1e-12
    assert seen["gpipe"] < 1e-10  # The same micro-batches, so the same training.
    assert seen["batches"] == [1]


def test_a_lone_image_is_trained_on_and_a_batch_of_none_is_skipped_by_all(
    answers: dict[str, Any],
) -> None:
    none = [0.0, 0.0, 0.0, 0.0, 1.0]
    for rank, (tally, nothing, skipped, empty, same) in enumerate(answers["lone_images_and_none"]):
        assert tally[3:] == [5.0, 1.0] if rank == 1 else tally == none
        assert nothing == none
        assert skipped
        assert empty == none * 2
        assert same


def test_an_overflow_on_one_rank_skips_the_step_on_all(answers: dict[str, Any]) -> None:
    first, second = answers["an_overflow_on_one_rank"]
    assert [each[0] for each in first] == [each[0] for each in second] == [0.0, 1.0]
    assert [each[1] for each in first] == [False, True]
    assert [each[2] for each in first] == [2.0**15, 2.0**15]


def test_checkpoints_are_torchvisions_and_any_other_strategys(answers: dict[str, Any]) -> None:
    seen = answers["checkpoints_fit_everywhere"]
    assert seen["keys"]
    assert seen["groups"]
    assert seen["apart"] < 1e-12


def test_a_stage_that_ends_its_process_ends_the_job(tmp_path: Path) -> None:
    began = time.monotonic()
    done = _torchrun(tmp_path, "ends")
    assert time.monotonic() - began < 60
    assert done.returncode != 0
    assert "TrainingError: stage 2 of the pipeline was ended by SystemExit" in done.stderr
    assert "failed to run forward" not in done.stderr


@pytest.mark.parametrize("images", [*range(1, 30), 64, 65])
@pytest.mark.parametrize("micro_batches", [1, 3, 4, 8])
def test_a_batch_is_cut_as_torchgpipe_cuts_it(images: int, micro_batches: int) -> None:
    sizes = [size for count, size in groups(images, micro_batches) for _ in range(count)]
    assert sizes == [len(each) for each in torch.arange(images).chunk(micro_batches)]


def test_stages_that_are_not_processes_are_refused_in_words() -> None:
    made = plan(Path("unused"), "pipeline", stages=3)
    with pytest.raises(SettingError, match="is 3 and there are 2 processes"):
        Pipeline(World(rank=0, size=2)).prepare(made, network("group"), [CPU])
