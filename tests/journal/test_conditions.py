"""What the machine was like while a run lasted: known answers, in whatever order it is told."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.journal import conditions, events, layout
from engine.journal.events import AnyEvent, Event, GpuReading
from engine.journal.files import Appender
from engine.journal.fold import ExperimentFold
from engine.journal.machine_view import Conditions, GpuConditions
from engine.journal.reader import JournalReader
from engine.journal.views import ExperimentView

WRITER: dict[str, Any] = {"journal": "", "host": "", "pid": 1, "boot": ""}
FIRST, SECOND = "01-single", "02-amp"
CARDS = tuple(
    events.GpuFacts(index=index, uuid=f"GPU-{index}", name="a card") for index in range(2)
)
NODE = events.NodeStarted(t=0.0, node=0, cores=4, memory_total=8, **WRITER)


def host(t: float, cpu: float = 0.5, **more: Any) -> events.HostSample:
    return events.HostSample(t=t, cpu=cpu, memory_used=1, memory_total=2, **more)


def gpus(t: float, *readings: GpuReading) -> events.GpuSample:
    return events.GpuSample(t=t, readings=readings)


def begun(t: float) -> AnyEvent:
    return events.SupervisorStarted(t=t, **WRITER)


def started(run: str, t: float, attempt: int = 1) -> AnyEvent:
    return events.RunStarted(t=t, run=run, attempt=attempt, argv=(), pid=1)


def ended(run: str, t: float, attempt: int = 1) -> AnyEvent:
    return events.RunEnded(t=t, run=run, attempt=attempt, state="done")


def folded(supervisor: Sequence[AnyEvent], node: Sequence[AnyEvent]) -> ExperimentFold:
    fold = ExperimentFold()
    for event in supervisor:
        fold.apply_supervisor(event)
    for event in node:
        fold.apply_node(0, event)
    return fold


def of(view: ExperimentView, run: str = FIRST) -> Conditions:
    found = view.run(run)
    assert found is not None
    assert found.conditions is not None
    return found.conditions


def test_the_host_is_told_by_means() -> None:
    node: list[AnyEvent] = [
        NODE,
        host(9.0, 1.0, tree_cpu=0.0),
        host(10.0, 0.25),
        host(11.0, 0.5, tree_cpu=1.5),
        host(12.0, 0.75, tree_cpu=1.5),
        host(13.0, 1.0, tree_cpu=0.0),
    ]
    fold = folded([begun(1.0), started(FIRST, 10.0), ended(FIRST, 13.0)], node)
    seen = of(fold.freeze())
    # Of 4 cores, 2 and 3 were busy while this experiment took 1.5.
    assert (seen.samples, seen.cpu, seen.other_cores) == (3, 0.5, 1.0)


def test_other_load_is_of_what_a_control_group_allows_and_never_below_none() -> None:
    supervisor = [started(FIRST, 10.0)]
    assert of(folded(supervisor, [host(11.0, tree_cpu=0.1)]).freeze()).other_cores is None
    allowed = host(11.0, 0.5, tree_cpu=0.25, allowed=1.5)
    assert of(folded(supervisor, [NODE, allowed]).freeze()).other_cores == 0.5
    assert of(folded(supervisor, [allowed]).freeze()).other_cores == 0.5
    # Two clocks that disagree a little in both directions come to no load, and not to half of it.
    noise: list[AnyEvent] = [host(11.0, 0.5, tree_cpu=2.125), host(12.0, 0.5, tree_cpu=1.875)]
    assert of(folded(supervisor, [NODE, *noise]).freeze()).other_cores == 0.0
    assert of(folded(supervisor, [NODE, noise[0]]).freeze()).other_cores == 0.0


def test_each_gpu_is_told_by_what_was_known_of_it() -> None:
    node: list[AnyEvent] = [
        events.GpusFound(gpus=CARDS),
        gpus(
            11.0,
            GpuReading(utilization=0.5, memory_used=100, memory_ours=40, power=200.0,
                       sm_clock=1000.0, throttled=("heat",)),
            GpuReading(utilization=1.0, memory_used=50),
        ),
        gpus(
            12.0,
            GpuReading(utilization=1.0, memory_used=90, memory_ours=85, sm_clock=2000.0),
            GpuReading(problem="it has fallen off the bus"),
        ),
        gpus(13.0, GpuReading(sm_clock=1800.0, memory_used=7, memory_ours=9), GpuReading()),
        gpus(20.0, GpuReading(sm_clock=1.0), GpuReading(sm_clock=1.0)),
    ]  # fmt: skip
    fold = folded([started(FIRST, 10.0), ended(FIRST, 20.0)], node)
    assert of(fold.freeze()) == Conditions(
        samples=0,
        gpus=(
            GpuConditions(
                name="a card", uuid="GPU-0", samples=3, sm_clock=1600.0, utilization=0.75,
                power=200.0, throttled=1 / 3, others_memory=60,
            ),
            GpuConditions(name="a card", uuid="GPU-1", samples=1, utilization=1.0, throttled=0.0),
        ),
    )  # fmt: skip


def test_gpus_keep_their_figures_when_they_are_found_in_another_order() -> None:
    one, two = GpuReading(sm_clock=1000.0), GpuReading(sm_clock=500.0)
    node: list[AnyEvent] = [
        events.GpusFound(gpus=CARDS),
        gpus(11.0, one, two),
        events.GpusFound(gpus=CARDS[::-1]),
        gpus(12.0, two, one),
        events.GpusFound(gpus=CARDS[:1]),
        gpus(13.0, GpuReading(sm_clock=4000.0)),
    ]
    seen = of(folded([started(FIRST, 10.0)], node).freeze()).gpus
    assert [(each.uuid, each.sm_clock, each.samples) for each in seen] == [
        ("GPU-0", 2000.0, 3), ("GPU-1", 500.0, 2),
    ]  # fmt: skip


def test_before_the_first_sample_nothing_is_known() -> None:
    fold = folded([started(FIRST, 10.0)], [NODE, host(9.9), events.GpusFound(gpus=CARDS)])
    (run,) = fold.freeze().runs
    assert run.conditions is None
    fold.apply_node(0, host(10.0))
    assert of(fold.freeze()).samples == 1


def test_only_the_latest_attempt_counts_and_nothing_between_attempts() -> None:
    fold = folded(
        [begun(1.0), started(FIRST, 10.0), ended(FIRST, 20.0)], [host(t) for t in range(10, 30)]
    )
    assert of(fold.freeze()).samples == 10
    fold.apply_supervisor(started(FIRST, 30.0, attempt=2))
    (run,) = fold.freeze().runs
    assert run.conditions is None
    fold.apply_node(0, host(31.0, 1.0))
    assert (of(fold.freeze()).samples, of(fold.freeze()).cpu) == (1, 1.0)


def test_a_run_that_waits_is_taken_out_while_another_lasts() -> None:
    fold = folded([started(FIRST, 10.0), ended(SECOND, 12.0, attempt=0)], [host(11.0), host(13.0)])
    assert of(fold.freeze()).samples == 2


def test_what_a_killed_supervisor_left_running_ends_where_the_next_one_begins() -> None:
    supervisor = [begun(1.0), started(FIRST, 10.0), begun(50.0), started(SECOND, 52.0)]
    fold = folded(supervisor, [host(t) for t in (11.0, 12.0, 51.0, 53.0, 54.0, 55.0)])
    view = fold.freeze()
    assert (of(view).samples, of(view, SECOND).samples) == (2, 3)


def test_ranks_whose_supervisors_word_was_lost_give_a_run_its_beginning() -> None:
    fold = folded([], [host(11.0), host(13.0)])
    fold.apply_rank(FIRST, 1, 0, events.AttemptStarted(t=12.0, rank=0, world_size=1, **WRITER))
    assert of(fold.freeze()).samples == 1
    # It comes after all: the run began before its ranks did.
    fold.apply_supervisor(started(FIRST, 10.5))
    assert of(fold.freeze()).samples == 2


def test_another_node_does_not_disturb_what_the_first_one_tells() -> None:
    fold = folded([started(FIRST, 10.0)], [])
    fold.apply_node(1, host(11.0, 0.125))
    assert of(fold.freeze()).cpu == 0.125
    fold.apply_node(0, host(11.0, 0.75))
    fold.apply_node(1, host(12.0, 0.125))
    assert of(fold.freeze()).cpu == 0.75


SPANS = ((FIRST, 10.0, 14.0), ("02-amp", 14.5, 31.0), ("03-ddp", 31.0, 33.0), ("04-x", 40.0, 60.0))


@given(seed=st.integers(0, 2**32), period=st.sampled_from((0.25, 1.0, 3.0)))
def test_in_whatever_order_the_files_are_read_each_run_has_its_samples(
    seed: int, period: float
) -> None:
    """Two files, each in its own order, in pieces of any size, looked at any time."""
    order = random.Random(seed)
    supervisor: list[AnyEvent] = [begun(1.0)]
    for run, start, end in SPANS:
        supervisor += [started(run, start), ended(run, end)]
    times = [period * number for number in range(int(70 / period))]
    node: list[AnyEvent] = [NODE, events.GpusFound(gpus=CARDS[:1])]
    for t in times:
        # Numbers that add up exactly, and tell when they were sampled.
        node += [host(t, t / 128), gpus(t, GpuReading(sm_clock=t))]
    fold = ExperimentFold()
    while supervisor or node:
        if supervisor and (not node or order.random() < 0.3):
            fold.apply_supervisor(supervisor.pop(0))
        for _ in range(order.choice((1, 7, 40))):
            if node:
                fold.apply_node(0, node.pop(0))
        if order.random() < 0.3:
            fold.freeze()
    view = fold.freeze()
    for run, start, end in SPANS:
        mine = [t for t in times if start <= t < end]
        seen = view.run(run)
        assert seen is not None
        if not mine:
            assert seen.conditions is None
            continue
        mean = sum(mine) / len(mine)
        assert seen.conditions is not None
        assert (seen.conditions.samples, seen.conditions.cpu) == (len(mine), mean / 128)
        assert [each.sm_clock for each in seen.conditions.gpus] == [mean]


def test_a_long_run_keeps_few_samples_and_counts_them_all() -> None:
    fold = folded([started(FIRST, 0.0)], [NODE])
    count = 5 * conditions.KEPT + 7
    for second in range(count):
        fold.apply_node(0, host(second, second % 2, tree_cpu=1.0))
    held = fold._machines.first.conditions  # There is nothing else to see it by.
    assert len(held._older) + len(held._newer) < 2 * conditions.KEPT
    seen = of(fold.freeze())
    assert seen.samples == count
    assert seen.cpu == pytest.approx((count // 2) / count, abs=1e-12)
    # The word that it had ended comes late, by less than what is kept: nothing later counts.
    fold.apply_supervisor(ended(FIRST, count - 500.0))
    assert of(fold.freeze()).samples == count - 500


def write(path: Path, *some: Event) -> None:
    appender = Appender(path)
    for event in some:
        appender.append(event)
    appender.close()


def test_an_old_experiment_has_them_however_long_its_journals(tmp_path: Path) -> None:
    """Short runs, whose samples would be read long before their ends if all files took turns."""
    runs = [f"{number:02}-single" for number in range(1, 21)]
    supervisor: list[Event] = [events.SupervisorStarted(t=1.0, **WRITER)]
    node: list[Event] = [NODE]
    for number, run in enumerate(runs):
        began = 1000.0 * (number + 1)
        argv = ("python", "x" * 60_000)
        supervisor += [
            events.RunStarted(t=began, run=run, attempt=1, argv=argv, pid=1),
            events.RunEnded(t=began + 90 + number, run=run, attempt=1, state="done"),
        ]
        node += [host(began + second, number / 64) for second in range(200)]
    write(tmp_path / layout.SUPERVISOR_JOURNAL, *supervisor)
    write(layout.node_journal(tmp_path, 0), *node)
    for limit in (3_000, 150_000, 4_000_000):
        reader = JournalReader(tmp_path)
        while not reader.caught_up:
            reader.poll(limit)
            reader.view()
        for number, run in enumerate(runs):
            seen = of(reader.view(), run)
            assert (seen.samples, seen.cpu) == (90 + number, number / 64)
