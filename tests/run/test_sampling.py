"""Host and GPUs in one journal, as a supervisor that trains writes it."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import psutil
import pytest

from engine.journal import layout
from engine.journal.events import (
    AttemptEnded,
    GpuSample,
    GpusFound,
    HostSample,
    Ready,
)
from engine.journal.files import Appender
from engine.run import control, kin, sampler
from engine.run.sampler import PERIOD, Sampler, period, unusable
from engine.run.spawn import start_supervisor
from engine.run.watch import Watch
from tests.run.making import eventually, make_experiment, processes, read
from tests.run.nvml.driver import GIB, Driver


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("0.5", 0.5), ("0", 0.2), ("-3", 0.2), ("900", 60.0), ("often", 1.0), ("nan", 1.0)],
)
def test_the_user_sets_how_often(value: str, seconds: float) -> None:
    assert period({PERIOD: value}) == seconds
    assert period({}) == 1.0


def test_a_period_that_is_not_taken_is_said() -> None:
    assert unusable({}) == unusable({PERIOD: "0.5"}) == []
    (said,) = unusable({PERIOD: "often"})
    assert "=often is no number from 0.2 to 60" in said.text
    (said,) = unusable({PERIOD: "900"})
    assert said.text.endswith("are sampled every 60 s")


def test_gpus_are_sampled_beside_the_host(
    driver: Driver, parent: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PERIOD, "0.2")
    driver.script.put({"gpu 4 utilization": 44, "gpu 4 process 1": 3 * GIB})
    made = make_experiment(parent, tmp_path / "gone", "single")
    start_supervisor(made)
    assert control.wait(made, 60.0) == "failed"
    events = read(layout.node_journal(made.directory, 0))
    (found,) = (each for each in events if isinstance(each, GpusFound))
    assert len(found.gpus) == 8
    gpus = [each for each in events if isinstance(each, GpuSample)]
    hosts = [each for each in events if isinstance(each, HostSample)]
    assert {each.readings[4].utilization for each in gpus} == {0.44}
    assert hosts[-1].shm_total is not None
    assert hosts[-1].shm_free is not None
    assert 0 < hosts[-1].shm_free <= hosts[-1].shm_total
    eventually(lambda: not processes(made.directory), 10.0)


def test_the_reader_outlives_a_run(driver: Driver) -> None:
    """After a run, whatever comes from the supervisor is killed, but not what it needs itself."""
    gpus = driver.start()
    driver.readings()
    with subprocess.Popen(["sleep", "300"]) as left:
        found = {each.pid for each in kin.descendants()}
        left.kill()
    assert left.pid in found
    assert gpus.pid not in found
    assert gpus.pid in {each.pid for each in psutil.Process().children()}


def test_readings_that_stop_are_warned_of(
    driver: Driver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PERIOD, "0.2")
    made = Sampler(tmp_path / "experiment")
    notices = []

    def warned(count: int) -> bool:
        made.listen((), running=False)
        notices.extend(made.notices())
        return len(notices) >= count

    try:
        eventually(lambda: warned(0) and made.gpus)
        driver.script.put({"gpu 2 error": 15})
        eventually(lambda: warned(1))
        driver.script.put({"crash nvmlDeviceGetUtilizationRates": ""})
        eventually(lambda: warned(2))
    finally:
        made.close()
    assert [each.code for each in notices] == ["gpu-lost"] * 2
    assert "GPU 2 (Stand-in GPU) does not answer (GPU is lost)" in notices[0].text
    assert "signal 6" in notices[1].text


def test_none_of_ours_is_no_answer_while_a_rank_holds_memory(
    driver: Driver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PERIOD, "0.2")
    driver.script.put({"count": 1, "gpu 0 process 1": GIB})
    made = Sampler(tmp_path / "experiment")
    uuid = "GPU-00000000-0000-4000-8000-000000000000"

    def told() -> list[int | None]:
        made.listen((uuid,), running=True)
        events = read(layout.node_journal(tmp_path / "experiment", 0))
        return [each.readings[0].memory_ours for each in events if isinstance(each, GpuSample)]

    try:
        eventually(told)
        assert set(told()) == {None}
    finally:
        made.close()


def test_shared_pages_are_told_apart_only_where_memory_is_short(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not Path("/proc/self/smaps_rollup").exists():
        pytest.skip("this system does not tell how pages are shared")
    split = []
    for tight in (0.0, 1.1):
        monkeypatch.setattr(sampler, "TIGHT", tight)
        made = Sampler(tmp_path / f"{tight}")
        made.sample()
        made.sample()
        made.close()
        events = read(layout.node_journal(tmp_path / f"{tight}", 0))
        split += [each.tree_pss is not None for each in events if isinstance(each, HostSample)]
    # And then not again for a while.
    assert split == [True, False, False, False]


def test_the_gpus_that_ranks_train_on(tmp_path: Path) -> None:
    watch = Watch(tmp_path, "01-ddp", 1, ranks=2)
    for rank in range(2):
        journal = Appender(layout.rank_journal(tmp_path, "01-ddp", 1, rank))
        journal.append(ready(f"GPU-{rank}"))
    watch.poll()
    assert watch.uuids == {"GPU-0", "GPU-1"}
    journal.append(AttemptEnded(state="done", step=1))
    watch.poll()
    assert watch.uuids == {"GPU-0"}


def ready(uuid: str) -> Ready:
    return Ready(
        model="resnet18",
        parameters=1,
        classes=("a", "b"),
        train_images=1,
        val_images=1,
        epochs=1,
        steps_per_epoch=1,
        total_steps=1,
        batch_size=1,
        device="cuda:0",
        device_name="H100",
        precision="fp32",
        workers=0,
        threads=1,
        t=time.time(),
        uuids=(uuid,),
    )
