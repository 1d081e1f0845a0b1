"""Results by class: written out, and against the plainest counting there is."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.journal.judged import judged_view
from engine.report.classes import ClassReport, Confusion, class_report
from engine.report.statistics import proportion_interval
from tests.journal.judging import judged

NAMES = ("ant", "bee", "cat")
MATRIX = [[8, 2, 0], [1, 3, 0], [0, 6, 0]]
"""Ten ants, four bees, six cats, of which none is ever told."""
TOP5 = [9, 4, 5]


def report(matrix: Any, top5: list[int] | None = None, names: tuple[str, ...] = ()) -> ClassReport:
    view = judged_view(judged(matrix, top5))
    assert view is not None
    return class_report(view, names)


def test_what_a_matrix_comes_to_is_written_out() -> None:
    told = report(MATRIX, TOP5, NAMES)
    ant, bee, cat = told.classes
    assert (ant.name, ant.images, ant.top1, ant.top5, ant.said) == ("ant", 10, 8, 9, 9)
    assert (ant.recall, ant.precision, ant.f1) == (0.8, 8 / 9, 16 / 19)
    assert (bee.images, bee.said, bee.recall, bee.precision) == (4, 11, 0.75, 3 / 11)
    assert bee.f1 == 6 / 15
    assert (cat.recall, cat.precision, cat.f1, cat.top5_share) == (0.0, None, 0.0, 5 / 6)
    assert (told.images, told.top1, told.top5) == (20, 11 / 20, 18 / 20)
    assert told.balanced_accuracy == pytest.approx((0.8 + 0.75 + 0.0) / 3)
    assert told.macro_precision == pytest.approx((8 / 9 + 3 / 11 + 0.0) / 3)
    assert told.macro_f1 == pytest.approx((16 / 19 + 0.4 + 0.0) / 3)
    assert told.worst == (2, 1, 0)
    assert told.confused == (
        Confusion(2, 1, 6, 1.0),
        Confusion(0, 1, 2, 0.2),
        Confusion(1, 0, 1, 0.25),
    )
    assert told.named
    assert told.matrix().tolist() == MATRIX


def test_a_class_without_images_is_in_no_mean() -> None:
    told = report([[4, 1], [0, 0]])
    none = told.classes[1]
    assert (none.recall, none.precision, none.interval) == (None, 0.0, None)
    assert told.balanced_accuracy == 0.8
    assert told.macro_f1 == 8 / 9
    assert told.worst == (0,)


def test_names_that_are_not_of_these_classes_are_numbers() -> None:
    told = report(MATRIX, names=("ant", "bee"))
    assert not told.named
    assert [each.name for each in told.classes] == ["1", "2", "3"]


matrices = st.integers(1, 7).flatmap(
    lambda classes: st.lists(
        st.lists(st.integers(0, 5), min_size=classes, max_size=classes),
        min_size=classes,
        max_size=classes,
    )
)


@settings(max_examples=100)
@given(matrices.filter(lambda matrix: any(map(any, matrix))))
def test_it_is_what_counting_image_by_image_gives(matrix: list[list[int]]) -> None:
    images = [
        (true, said)
        for true, row in enumerate(matrix)
        for said, count in enumerate(row)
        for _ in range(count)
    ]
    told = report(matrix)
    recalls = []
    for place, each in enumerate(told.classes):
        own = [said for true, said in images if true == place]
        answers = [true for true, said in images if said == place]
        right = own.count(place)
        assert each.recall == (right / len(own) if own else None)
        assert each.precision == (right / len(answers) if answers else None)
        if own and right:
            recall, precision = right / len(own), right / len(answers)
            assert each.f1 == pytest.approx(2 * precision * recall / (precision + recall))
        recalls += [right / len(own)] if own else []
    assert told.top1 == sum(true == said for true, said in images) / len(images)
    assert told.balanced_accuracy == pytest.approx(sum(recalls) / len(recalls))
    assert sum(each.count for each in told.confused) == sum(true != said for true, said in images)
    counts = [each.count for each in told.confused]
    assert counts == sorted(counts, reverse=True)
    seen = [told.classes[place].recall or 0.0 for place in told.worst]
    assert seen == sorted(seen)


def test_intervals_of_shares_are_wilsons() -> None:
    # His formula by hand, with z = 1.959964: (p + z2/2n -+ z sqrt(pq/n + z2/4n2)) / (1 + z2/n).
    assert proportion_interval(8, 10) == pytest.approx((0.490162, 0.943318), abs=1e-6)
    assert proportion_interval(0, 10) == pytest.approx((0.0, 0.277533), abs=1e-6)
    assert proportion_interval(3, 3) == pytest.approx((0.438503, 1.0), abs=1e-6)


@given(st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_an_interval_holds_what_it_is_of(counted: tuple[int, int]) -> None:
    hits, count = counted
    low, high = proportion_interval(hits, count)
    assert 0.0 <= low <= hits / count <= high <= 1.0
    other = proportion_interval(count - hits, count)
    assert (low, high) == pytest.approx((1 - other[1], 1 - other[0]))


def test_a_thousand_classes_are_quickly_counted() -> None:
    dense = np.random.default_rng(1).multinomial(50, np.full(1000, 1e-3), 1000)
    began = time.process_time()
    told = report(dense)
    assert told.balanced_accuracy < 0.1
    assert len(told.confused) > 10_000
    assert time.process_time() - began < 5.0
