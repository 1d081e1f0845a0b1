"""Trainings whose answers are known: images and networks that sleep, a slow rank, a late batch.

Real processes, real workers, real journals. A sleep that is asked for takes a little longer, and
on a busy machine much longer, so every sleeper notes when it slept: what is measured must be within
5 % or 2 ms of that. What is asked for is the least that must come of it.
"""

from __future__ import annotations

import re

import msgspec
import numpy as np
import pytest

from engine.report.diagnose import Surroundings, diagnose
from engine.report.stall import stall
from engine.report.verdict import Verdict
from tests.train.truth.cases import in_short
from tests.train.truth.figures import figures
from tests.train.truth.injection import Case, expected
from tests.train.truth.trials import Outcome, run, steady

CASES = [case for ranks in (1, 2) for case in in_short(ranks)]
pytestmark = pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)


@pytest.fixture(scope="module")
def outcomes() -> dict[int, dict[str, Outcome]]:
    """By ranks, then title: trained when they are asked for."""
    return {}


@pytest.fixture
def outcome(
    case: Case,
    outcomes: dict[int, dict[str, Outcome]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Outcome:
    if case.ranks not in outcomes:
        outcomes[case.ranks] = {}
        done = run(tmp_path_factory.mktemp("truth"), in_short(case.ranks))
        outcomes[case.ranks] = {each.case.title: each for each in done}
    assert outcomes[case.ranks], "the cases could not be trained: see the first failure"
    return outcomes[case.ranks][case.title]


def test_what_was_asked_for_came(case: Case, outcome: Outcome) -> None:
    for rank, truth in enumerate(outcome.truth):
        least = expected(case, rank)
        assert steady(truth.forward) >= least.forward
        assert steady(truth.backward) >= least.backward
        assert steady(truth.decode) >= case.injection.image
        # Workers may have been a little ahead.
        assert steady(truth.step) >= 0.99 * least.step
    first = outcome.truth[0]
    if case.injection.first and case.workers == 0:
        assert first.wait[0] >= case.injection.first + case.batch * case.injection.image


def test_every_figure_is_true(outcome: Outcome) -> None:
    assert [str(each) for each in figures(outcome) if not each.is_true] == []


def test_an_epoch_is_the_sum_of_its_steps(case: Case, outcome: Outcome) -> None:
    (epoch,) = outcome.view.epochs
    for rank, ended in epoch.by_rank:
        for column, total in ended.sums.items():
            rows = np.nansum(outcome.measured(column, rank))
            assert rows == pytest.approx(total, rel=1e-3, abs=1e-4), column
        assert ended.read == case.batch * case.steps
        read = outcome.measured("decode_seconds", rank).sum() * case.batch
        assert ended.read_seconds == pytest.approx(read, rel=1e-3)
        if case.workers == 0:
            assert np.isnan(outcome.measured("queued", rank)).all()


@pytest.fixture
def verdict(outcome: Outcome) -> Verdict:
    if outcome.too_busy:
        pytest.skip(outcome.too_busy)
    return diagnose(outcome.view, outcome.plan, Surroundings(cores=8))


def test_the_verdict(case: Case, verdict: Verdict) -> None:
    assert verdict.kind == case.verdict, verdict
    if case.injection.slow is not None:
        assert verdict.title == f"rank {case.injection.slow} is slow"
    if verdict.kind == "data" and case.workers:
        # Of a single one for two ranks, each has its own.
        running = case.own_workers * case.ranks
        assert f" {running} worker{'s make' if running > 1 else ' makes'} " in verdict.finding


def test_who_follows_the_advice_waits_no_more(case: Case, verdict: Verdict) -> None:
    advice = re.fullmatch(r"raise --workers from (\d+) to (\d+)", verdict.change)
    assert (advice is not None) == (verdict.kind == "data"), verdict.change
    if advice is not None:
        # One at least for every rank.
        assert int(advice[1]) == (max(case.workers, case.ranks) if case.workers else 0)
        then = msgspec.structs.replace(case, workers=int(advice[2]))
        assert [expected(then, rank).wait for rank in range(case.ranks)] == [0.0] * case.ranks


def test_the_share_of_the_epoch_that_waited(case: Case, outcome: Outcome) -> None:
    told = stall(outcome.view)
    assert told is not None
    assert told.now is not None
    shares = [truth.waited() for truth in outcome.truth]
    # So far by its steps, and once it is finished by its sums.
    for waiting in (told.now, *told.finished):
        assert waiting.worst == pytest.approx(max(shares), abs=0.02)
        assert waiting.median == pytest.approx(np.median(shares), abs=0.02)
    decode = float(np.mean([truth.decode.mean() for truth in outcome.truth]))
    assert told.decode == pytest.approx(decode, rel=0.05, abs=0.002)
    running = case.own_workers * case.ranks
    assert (told.workers, told.queue) == (running, 2 * case.own_workers or None)
