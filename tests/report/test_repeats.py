from __future__ import annotations

import math
from dataclasses import fields

import pytest

from engine.report import repeats
from engine.report.figures import Figures
from engine.report.repeats import together
from tests.report.tables import figures


def test_medians_but_a_geometric_mean_of_throughputs() -> None:
    runs = [
        figures(repeat=0, images_per_second=100.0, top1=0.5, peak_memory=10, seed=1, ranks=2),
        figures(repeat=1, images_per_second=400.0, top1=0.9, peak_memory=13, seed=2, ranks=2),
    ]
    told = together(runs)
    assert told.images_per_second == pytest.approx(200.0)
    assert (told.top1, told.peak_memory) == (0.7, 12)
    # What they do not agree on is not told.
    assert (told.seed, told.ranks, told.run, told.repeats) == (None, 2, "", 2)
    more = [*runs, figures(repeat=2, images_per_second=200.0, top1=0.6, peak_memory=11, ranks=2)]
    assert (together(more).top1, together(more).peak_memory) == (0.6, 11)


def test_every_figure_is_put_together_in_one_way() -> None:
    names = {each.name for each in fields(Figures)}
    ways = (repeats._MEDIANS, repeats._OTHERWISE, repeats._COMMON)
    assert set().union(*ways) == names
    assert sum(map(len, ways)) == len(names)


def test_the_error_of_an_epoch_is_that_of_the_times_beside_it() -> None:
    told = together(
        [
            figures(epoch_seconds_estimated=9.0, epoch_seconds_actual=10.0, epoch_seconds_error=9),
            figures(epoch_seconds_estimated=11.0, epoch_seconds_actual=6.0, epoch_seconds_error=9),
        ]
    )
    assert (told.epoch_seconds_estimated, told.epoch_seconds_actual) == (10.0, 8.0)
    assert told.epoch_seconds_error == 0.25


def test_a_repeat_that_did_not_reach_the_target_took_longer_than_those_that_did() -> None:
    reached = [figures(seconds_to_accuracy=each) for each in (10.0, 30.0)]
    never = figures(seconds_to_accuracy=None)
    assert together([*reached, never]).seconds_to_accuracy == 30.0
    assert together(reached).seconds_to_accuracy == 20.0
    assert together([reached[0], never]).seconds_to_accuracy is None


def test_a_loss_that_is_no_number_is_worse_than_any() -> None:
    losses = [figures(train_loss=each) for each in (1.0, math.nan, 3.0)]
    assert together(losses).train_loss == 3.0
    most = together([*losses, figures(train_loss=math.nan), figures(train_loss=math.nan)])
    assert most.train_loss is not None
    assert math.isnan(most.train_loss)


def test_only_runs_that_are_done_have_figures_in_a_row() -> None:
    done = figures(repeat=0, top1=0.5)
    failed = figures(repeat=1, repeats=0, state="failed", reason="out of memory", top1=0.9)
    waiting = figures(repeat=2, repeats=0, state="queued", top1=None)
    running = figures(repeat=2, repeats=0, state="running", top1=0.1)
    told = together([done, failed, waiting])
    assert (told.top1, told.repeats, told.state) == (0.5, 1, "1 of 3 done")
    assert told.reason == "repeat 2: out of memory"
    assert together([done, failed, running]).state == "running"
    assert (together([failed, running]).top1, together([failed, waiting]).top1) == (0.1, 0.9)
    assert together([failed, waiting]).state == "failed"
    assert (together([done]).run, together([done]).state) == ("01-single", "done")


def test_reasons_of_all_are_told_once_and_others_with_their_repeat() -> None:
    early = [figures(repeat=each, reason="after 6 steps") for each in range(3)]
    assert together(early).reason == "after 6 steps"
    other = figures(repeat=3, reason="a rank died")
    assert (
        together([*early, other]).reason == "repeat 1, 2, 3: after 6 steps; repeat 4: a rank died"
    )


def test_what_was_stopped_while_it_waited_hides_nothing() -> None:
    trained = figures(
        repeat=0, repeats=0, state="stopped", optimizer_steps=5, images_per_second=100.0
    )
    waited = figures(repeat=1, repeats=0, state="stopped")
    assert together([trained, waited]).images_per_second == 100.0
    assert together([waited, figures(repeat=2, repeats=0, state="queued")]).state == "stopped"
