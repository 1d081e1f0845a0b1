"""Several strategies, several times: in turn, under equal conditions, whatever becomes of one."""

from __future__ import annotations

from pathlib import Path

from engine.journal import layout
from engine.journal.events import RunStarted
from engine.plan.config import Settings
from engine.plan.machine import Machine
from engine.plan.runs import plan_runs
from engine.plan.strategies import STRATEGIES
from engine.run import control, past
from engine.run.launch import rank_command
from engine.run.spawn import start_supervisor
from tests.run.making import make_experiment

SECONDS = 120.0


def test_a_strategy_that_fails_each_time_ends_no_other(squares: Path, parent: Path) -> None:
    made = make_experiment(
        parent, squares, "single", "amp", repeats=3, max_steps=1, epochs=1, image_size=16
    )
    assert [run.run for run in made.plan.runs] == [
        *("01-single", "02-amp"),
        *("03-amp", "04-single"),
        *("05-single", "06-amp"),
    ]
    for run in ("02-amp", "03-amp", "06-amp"):
        (made.directory / run).write_text("in the way")  # It cannot be launched.
    start_supervisor(made)
    assert control.wait(made, SECONDS) == "failed"
    assert control.exit_code(made) == 1
    ends = past.ended(made.directory)
    assert {run: end.state for run, end in ends.items()} == {
        run.run: "failed" if run.strategy.name == "amp" else "done" for run in made.plan.runs
    }
    started = [each.run for each in past.events(made.directory) if isinstance(each, RunStarted)]
    assert started == ["01-single", "04-single", "05-single"]
    summary = made.summary()
    assert summary is not None
    assert [(each.run, each.state) for each in summary.runs] == [
        (run, end.state) for run, end in sorted(ends.items())
    ]
    assert all("File exists" in each.reason for each in summary.runs if each.strategy == "amp")
    # What each run measured is there when the experiment is over.
    assert all((made.directory / run / layout.METRICS).is_file() for run in started)


def test_every_strategy_has_the_same_cores_and_decoding_processes(tmp_path: Path) -> None:
    chosen = tuple(each for each in STRATEGIES if each.name != "dp")  # It needs GPUs.
    machine = Machine(torch="2.15.0", cores=12)
    for nproc, cores in ((2, 12), (3, 12), (4, 8)):
        settings = Settings(nproc=nproc, workers=6, repeats=2, device="cpu")
        runs = plan_runs(tmp_path, settings, chosen, machine)
        made = make_experiment(tmp_path / f"{nproc}", tmp_path)
        computing, decoding = set(), set()
        for run in runs:
            launch = rank_command(made, run, 1, cores=cores, inherited={})
            assert launch.ranks == run.ranks
            computing.add(int(launch.environment["OMP_NUM_THREADS"]) * launch.ranks)
            decoding.add(run.settings.workers)
        assert computing == {cores}
        assert decoding == {6}
