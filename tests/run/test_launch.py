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
