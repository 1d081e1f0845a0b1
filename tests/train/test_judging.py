"""What a validation says of each class: counted on the device as the tally is, and told once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from engine.journal.events import ClassesJudged, Validated
from engine.journal.judged import judged_view
from engine.train import fit
from engine.train.judging import Judge
from engine.train.metrics import add_up, tally
from engine.train.world import ALONE
from tests.train.making import arguments, journal, lay_out, plan


@pytest.mark.parametrize("classes", [2, 5, 11, 1000])
def test_cells_are_what_counting_image_by_image_gives(classes: int) -> None:
    generator = np.random.default_rng(classes)
    logits = generator.normal(size=(37, classes)).astype(np.float32)
    labels = generator.integers(0, classes, 37)
    judge, tallies = Judge(classes), []
    for part in (slice(0, 16), slice(16, 32), slice(32, 37)):
        scores, truth = torch.from_numpy(logits[part]), torch.from_numpy(labels[part])
        tallies.append(tally(torch.tensor(0.0), scores, truth, judge))
    view = judged_view(judge.judged(ALONE, epoch=3, step=9, best=True))
    assert view is not None
    dense = np.zeros((classes, classes), np.int64)
    among = np.zeros(classes, np.int64)
    for row, label in zip(logits, labels, strict=True):
        dense[label, int(row.argmax())] += 1
        among[label] += (row > row[label]).sum() < 5
    again = np.zeros_like(dense)
    again[view.true, view.said] = view.count
    assert (again == dense).all()
    assert (view.top5 == among).all()
    sums = add_up(tallies)
    assert (sums.top1, sums.top5, sums.images) == (dense.trace(), among.sum(), 37)
    assert (view.epoch, view.step, view.best) == (3, 9, True)


def test_of_equal_scores_it_takes_the_one_that_the_tally_takes() -> None:
    judge = Judge(4)
    counted = tally(torch.tensor(0.0), torch.zeros(8, 4), torch.arange(8) % 4, judge)
    view = judged_view(judge.judged(ALONE, epoch=0, step=1, best=True))
    assert view is not None
    assert int(view.count[view.true == view.said].sum()) == int(counted[1])


@pytest.mark.usefixtures("signals")
def test_the_best_validations_and_the_last_one_are_told(tmp_path: Path, pictures: Path) -> None:
    made = lay_out(tmp_path, plan(pictures, epochs=3))
    assert fit.main(arguments(tmp_path, made)) == 0
    events = journal(tmp_path, made)
    validations = {each.step: each for each in events if isinstance(each, Validated)}
    told = {each.step: each for each in events if isinstance(each, ClassesJudged)}
    best, wanted = -1, {}
    for step, validated in validations.items():
        if validated.top1 > best or step == max(validations):
            wanted[step] = validated.top1 > best
        best = max(best, validated.top1)
    assert {step: each.best for step, each in told.items()} == wanted
    for step, each in told.items():
        view, validated = judged_view(each), validations[step]
        assert view is not None
        assert (view.epoch, view.images) == (validated.epoch, validated.images)
        assert int(view.count[view.true == view.said].sum()) == validated.top1
        assert int(view.top5.sum()) == validated.top5
