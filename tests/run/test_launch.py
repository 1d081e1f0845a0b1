from __future__ import annotations

import sys
from pathlib import Path

from engine.run.launch import rank_command
from tests.run.making import make_experiment


def test_command_of_a_rank(tmp_path: Path) -> None:
    made = make_experiment(tmp_path, tmp_path / "no data", "single", "amp")
    launch = rank_command(made, made.plan.runs[1], 3, cores=6, parent=42, inherited={})
    assert launch.argv == (
        *(sys.executable, "-P", "-m", "engine.train", "fit"),
        *("--experiment", str(made.directory), "--run-name", "02-amp", "--attempt", "3"),
    )
    assert launch.environment["RESNET_TUI_PARENT"] == "42"
    assert launch.environment["OMP_NUM_THREADS"] == "6"
    assert launch.environment["PYTHONUNBUFFERED"] == "1"
    assert "CUDA_VISIBLE_DEVICES" not in launch.environment
    assert launch.ranks == 1


def test_command_of_several_ranks(tmp_path: Path) -> None:
    made = make_experiment(tmp_path, tmp_path / "no data", "ddp", nproc=3)
    launch = rank_command(made, made.plan.runs[0], 2, cores=6, parent=42, inherited={})
    assert Path(launch.argv[0]).name == "torchrun"
    assert {"--standalone", "--nproc-per-node=3"} < set(launch.argv)
    words = ("-m", "engine.train", "fit", "--experiment", str(made.directory))
    assert launch.argv[-9:] == (*words, "--run-name", "01-ddp", "--attempt", "2")
    assert (launch.ranks, launch.by_torchrun) == (3, True)
    environment = launch.environment
    assert environment["OMP_NUM_THREADS"] == "2"
    assert environment["PYTHONSAFEPATH"] == "1"
    assert environment["RESNET_TUI_PARENT"] == "42"
    attempt = made.directory / "01-ddp" / "attempt-2"
    assert environment["TORCHELASTIC_ERROR_FILE"] == str(attempt / "error.json")
    assert {"RANK", "WORLD_SIZE"}.isdisjoint(environment)


def test_a_torchrun_around_us_is_not_ours(tmp_path: Path) -> None:
    made = make_experiment(tmp_path, tmp_path / "no data", "ddp", nproc=2)
    launch = rank_command(made, made.plan.runs[0], 1, inherited={})
    outside = {"PET_NNODES": "4", "TORCHELASTIC_RUN_ID": "7", "PYTHON_EXEC": "x", "HOME": "/h"}
    inside = launch.environment_in(outside)
    assert inside["HOME"] == "/h"
    assert {"PET_NNODES", "TORCHELASTIC_RUN_ID", "PYTHON_EXEC"}.isdisjoint(inside)


def test_a_cluster_jobs_ranks_are_not_ours(tmp_path: Path) -> None:
    made = make_experiment(tmp_path, tmp_path / "no data")
    outside = {"RANK": "5", "WORLD_SIZE": "8", "LOCAL_RANK": "1"}
    launch = rank_command(made, made.plan.runs[0], 1, inherited=outside)
    environment = outside | launch.environment
    assert [environment[name] for name in outside] == ["0", "1", "0"]


def test_the_users_choices_stay(tmp_path: Path) -> None:
    made = make_experiment(tmp_path, tmp_path / "no data")
    chosen = {"OMP_NUM_THREADS": "3", "CUDA_DEVICE_ORDER": "FASTEST_FIRST"}
    launch = rank_command(made, made.plan.runs[0], 1, inherited=chosen)
    assert chosen.keys().isdisjoint(launch.environment)
