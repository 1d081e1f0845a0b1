"""A verdict does not change with every look where its figures hover about a threshold."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from msgspec import structs

from engine.journal.events import HostSample
from engine.report.verdict import Kind, Verdict
from tests.report.situations import GPUS, gpu_ready, gpus, host, plan, steps, verdict
from tests.report.test_diagnose_machine import COOL, STEPS
from tests.report.test_diagnose_ranks import rank
from tests.report.views import NOW, ready


def waiting(share: float, before: Kind | None, *, ended: bool = False) -> Verdict:
    columns = {"images": 8, "step_seconds": 0.1, "wait_seconds": 0.1 * share}
    told = ready(epochs=1, steps_per_epoch=1000)
    return verdict(plan(), [[told, steps(columns, 100)]], before=before, ended=ended)


@pytest.mark.parametrize(
    ("share", "before", "kind"),
    [
        (0.11, None, "data"),
        (0.09, None, "fine"),
        (0.09, "fine", "fine"),
        (0.09, "launches", "fine"),
        (0.09, "data", "data"),
        (0.06, "data", "fine"),
    ],
)
def test_waiting_for_data_stays_until_it_is_well_below(
    share: float, before: Kind | None, kind: Kind
) -> None:
    assert waiting(share, before).kind == kind


def test_of_a_run_that_has_ended_the_same_is_said_however_long_one_looked() -> None:
    assert waiting(0.09, "data", ended=True).kind == "fine"


def test_a_share_that_hovers_changes_the_verdict_once() -> None:
    random = np.random.default_rng(0)
    kinds: list[Kind] = ["fine"]
    for share in random.normal(0.1, 0.01, 100):
        kinds.append(waiting(share, kinds[-1]).kind)
    changes = sum(now != then for then, now in pairwise(kinds))
    assert changes == 1


def between(before: Kind | None, *ranks: dict[str, float]) -> Kind:
    made = plan("ddp", nproc=len(ranks))
    told = ready(epochs=1, steps_per_epoch=1000)
    return verdict(made, [[told, steps(row, 1000)] for row in ranks], before=before).kind


def test_so_do_ranks() -> None:
    uneven = (rank(0.10, 0.016), rank(0.116))
    assert between(None, *uneven) == "fine"
    assert between("straggler", *uneven) == "straggler"
    together = (rank(0.10, 0.02), rank(0.10, 0.02))
    assert between(None, *together) == "fine"
    assert between("exchange", *together) == "exchange"


def on_gpu(before: Kind | None, **more: float) -> Kind:
    rows = [gpu_ready(uuids=("GPU-0",)), steps({**STEPS, **more}, 100)]
    hot = structs.replace(COOL, throttled=("heat",))
    node = [*gpus(COOL)[:1], *gpus(hot, seconds=60)[1:5], *gpus(COOL)[5:12]]
    return verdict(plan(machine=GPUS), [rows], node, cores=16, before=before).kind


def test_so_do_gpus_and_their_hosts() -> None:
    # Four of eleven samples.
    assert on_gpu(None) == "fine"
    assert on_gpu("throttled") == "throttled"
    late = {"launch_seconds": 0.09, "lag_seconds": 0.012}
    assert on_gpu(None, **late) == "fine"
    assert on_gpu("launches", **late) == "launches"


def test_so_do_others_on_the_same_cores() -> None:
    samples: list[HostSample] = host(cpu=0.95, tree_cpu=1.45)
    assert samples[0].t == NOW
    columns = {"images": 8, "step_seconds": 0.1, "wait_seconds": 0.0, "forward_seconds": 0.1}
    rows = [ready(epochs=1, steps_per_epoch=1000), steps(columns, 100)]
    assert verdict(plan(), [rows], samples).kind == "fine"
    assert verdict(plan(), [rows], samples, before="shared").kind == "shared"
